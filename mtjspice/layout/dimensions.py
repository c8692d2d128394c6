"""Heights in a row, in nm, and the rules of the process that they follow from.

::

    rail of the upper supply, tap of the n-well below it
    p-channel FETs, aligned at their lower ends
    gate contacts of the p-channel FETs
    tracks of metal2
    gate contacts of the n-channel FETs
    n-channel FETs, aligned at their upper ends
    rail of the lower supply, tap of the substrate below it
"""

HALF = 140  # half a wire, of any metal: 280 wide, 280 apart (M2.1, M2.2a; more than metal1 needs)
END = 190  # from the middle of a via to the end of a wire (V1.3d: 60 beyond the via)
PAD = 260  # half the length of a pad that no wire leaves (M2.3: 0.1444 um2)
TRACK = 560  # from track to track

RAIL = 500  # half of a supply rail, metal1
TAP = 210  # half of a tap's active area
TAP_IMPLANT = 370  # NP.5b, PP.5b: 160 beyond it
FIRST = 800  # from the middle of a rail to the FETs: M1.2a between rail and terminals, NP.3 between implants

CONTACT_EDGE = 70  # CO.4
CONTACT = 220
CONTACT_STEP = 560  # CO.2a, CO.2b and a margin
GATE_CAP = 220  # PL.4
GATE_CONTACT = 340  # from active area to the middle of the contact: CO.8, and M1.2a to the terminals' metal
GATE_METAL = 170  # from active area to the metal of a gate
GATE_BAR = 140  # half of a bar of poly from gate to gate
GATE_PAD = 180  # half of the poly around a contact: CO.3
OVER = 300  # from the edge of the active area to the first track over it: the via within the metal of a terminal
OVER_LAST = 500  # least width of a FET with one track over it
FIRST_TRACK = 600  # from active area to the first track: the via clear of the gate's contact
LAST_TRACK = 600  # the same above
APART = 1300  # between the FETs of both sides: PL.3a between their gates' contacts
LIFT = 500  # from active area to the via stack of a gate whose wire is in metal3
LIFTED_TRACK = 1180  # to the last track where there is one

TERMINAL_LIFT = 300  # from the edge of the active area to the via stack of a terminal whose wire is in metal3
IMPLANT_SIDE = 160  # NP.5b, PP.5b
IMPLANT_GATE = 230  # NP.5a, PP.5a
IMPLANT_WIDE = 390  # the wider ends of narrow FETs included
IMPLANT_SPACE = 400  # NP.2, PP.2
WELL = 430  # DF.4c
WELL_SPACE = 1400  # NW.2b, at different potentials

NEAR = 400  # from the middle of a gate of least length to the middle of a contact: CO.7

BAR_START = 940  # from the middle of a rail to the end of a resistor's bars: HRES.6, PP.2
BAR_HALF = 500  # half the width of a bar: HRES.2
BAR_CONTACT = 200  # from the end of a bar to the middle of its contacts
BAR_BLOCK = 560  # from the end of a bar to the salicide block: HRES.8
BAR_OVERLAP = 100  # of implant and salicide block: HRES.10; the body lies between
