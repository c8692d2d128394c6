"""Three papers reproduced and questioned: what each says, what comes out here, and why the two differ.

A paper is a list of experiments. An experiment computes a section (findings, figures' data, text), which is stored as
it is finished; pages are made of stored sections. Numbers of papers stand in the ``claims`` modules and nowhere else.
"""
