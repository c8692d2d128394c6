"""Commands about studies: many points of a circuit, a deck or a junction, stored as they are finished."""

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mtjspice.cli.app import study_app
from mtjspice.cli.options import AsJson
from mtjspice.cli.output import print_json, print_table, raise_lost_interrupt, warnings_as_lines
from mtjspice.errors import InputError, SimulatorError

if TYPE_CHECKING:
    from mtjspice.studies.driver import Summary
    from mtjspice.studies.folder import StudyFolder
    from mtjspice.studies.study import Study

Folder = Annotated[Path, typer.Argument(metavar="DIR", help="Folder of a study (the --out of its run).")]
FAILURES_SHOWN = 5


@study_app.command()
def run(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Study file (.toml); see examples/studies.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the results.")],
    workers: Annotated[
        int | None, typer.Option("--workers", help="Worker processes; by default one a processor.")
    ] = None,
    dask: Annotated[
        str | None, typer.Option("--dask", metavar="ADDRESS", help="Use a Dask scheduler instead: tcp://host:8786.")
    ] = None,
    memory: Annotated[
        str | None, typer.Option("--memory", help="Bound for each worker process, as 4GB; none by default.")
    ] = None,
    time_limit: Annotated[str, typer.Option("--time-limit", help="For one point: seconds or with a unit.")] = "600",
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the results in --out.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Evaluate one point; tell how many there are, time and disk.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Evaluate all points of a study; each is stored as soon as it is finished.

    A run that was interrupted, in whatever way, goes on with --resume: what is finished is not done again, what
    failed is tried again. Results do not depend on the number of workers.

    Example: mtjspice study run examples/studies/switching_voltage.toml --out psw --workers 2
    """
    from mtjspice import sweeps
    from mtjspice.studies.analyses.catalogue import analysis_of
    from mtjspice.studies.folder import create
    from mtjspice.studies.study_file import load_study
    from mtjspice.studies.workers import check_memory

    if workers is not None and workers < 1:
        raise InputError(f"--workers {workers} must be at least 1")
    if workers is not None and dask is not None:
        raise InputError("--workers and --dask exclude each other: the scheduler has workers of its own")
    bytes_ = None if memory is None else sweeps.quantity(memory, "byte", "--memory")
    check_memory(bytes_)
    limit = sweeps.quantity(time_limit, "s", "--time-limit")
    if not limit > 0:
        raise InputError(f"--time-limit {time_limit} must be positive")
    with warnings_as_lines():
        if dry_run:
            study = load_study(file)
            analysis_of(study)
            _estimate(study, workers or _processors(), as_json)
            return
        folder = create(file, out, resume)
        analysis_of(folder.study)
        summary = _run(folder, workers or _processors(), dask, bytes_, limit)
    _report(folder, summary, as_json)


def _run(folder: "StudyFolder", workers: int, dask: str | None, memory: float | None, limit: float) -> "Summary":
    from mtjspice.progress import ProgressBar
    from mtjspice.studies.driver import run_study
    from mtjspice.studies.executors import dask_client
    from mtjspice.studies.rare_study import ANALYSIS, run_rare

    study = folder.study
    rare = study.analysis == ANALYSIS  # how many points there will be is not known
    with ExitStack() as stack:
        options: dict[str, Any] = {"workers": workers}
        if dask is not None:
            client, count = stack.enter_context(dask_client(dask))
            options = {"executor": client, "workers": count}
        bar = stack.enter_context(ProgressBar(None if rare else len(study.space), rate="points"))
        bar.stage(study.title or "study")
        done = 0

        def tell(now: int) -> None:
            nonlocal done
            raise_lost_interrupt()
            bar.advance(now - done)
            done = now

        try:
            return (run_rare if rare else run_study)(
                study, folder.path, memory=memory, time_limit=limit, progress=tell, **options
            )
        except KeyboardInterrupt:
            of = "" if rare else f" of {len(study.space)}"
            typer.echo(f"mtjspice: {done}{of} points are stored; --resume goes on", err=True)
            raise


def _report(folder: "StudyFolder", summary: "Summary", as_json: bool) -> None:
    """Tell what was done, what failed, and what comes out."""
    from dataclasses import asdict

    counts = _counts(folder)
    line = (
        f"{summary.points} points: {summary.evaluated} evaluated, {summary.reused} were there, "
        f"{summary.failed} failed; {summary.seconds:.1f} s"
    )
    if not counts.get("ok", 0) + counts.get("suspicious", 0):
        typer.echo(line, err=True)
        _warn(folder)
        raise SimulatorError("no point of the study has a result")
    tables = _tables(folder)
    if as_json:
        print_json({"run": asdict(summary), "status": counts, "tables": [one.as_dict() for one in tables]})
    else:
        typer.echo(line)
        _show(tables)
    _warn(folder)


def _tables(folder: "StudyFolder") -> tuple[Any, ...]:
    from mtjspice.studies.analyses.catalogue import analysis_of

    return analysis_of(folder.study).tables(folder.dataset(), folder.study)


def _show(tables: tuple[Any, ...]) -> None:
    from mtjspice.reports.study_table import as_text

    for one in tables:
        typer.echo(f"\n{one.title}")
        print_table(*as_text(one))
        for note in one.notes:
            typer.echo(note)


def _counts(folder: "StudyFolder") -> dict[str, int]:
    from mtjspice.studies.store import Store

    with Store(folder.path, write=False) as store:
        return store.counts()


def _warn(folder: "StudyFolder") -> None:
    """One line for each of the first failed points."""
    from mtjspice.studies.store import Store

    with Store(folder.path, write=False) as store:
        failures = store.failures(FAILURES_SHOWN + 1)
    for place, record in failures[:FAILURES_SHOWN]:
        where = ", ".join(f"{name} = {value}" for name, value in record.values.items())
        typer.echo(f"mtjspice: point {place} ({where}) {record.status}: {record.reason}", err=True)
    if len(failures) > FAILURES_SHOWN:
        typer.echo("mtjspice: more points failed; mtjspice study status shows how many", err=True)


def _estimate(study: "Study", workers: int, as_json: bool) -> None:
    """Evaluate one point in the middle of the space, and tell what all of them will take."""
    from dataclasses import asdict

    from mtjspice import units
    from mtjspice.studies.forecast import forecast

    found = forecast(study, workers)
    if as_json:
        print_json(asdict(found))
        return
    rows = [
        ("points", str(found.points) if found.exact else f"about {found.points}"),
        ("one point", f"{found.seconds_a_point:.3g} s ({found.status})"),
        (f"time on {workers} workers", f"about {_duration(found.seconds)}"),
        ("disk", f"about {units.engineering(float(found.bytes), 'B', 2)}"),
    ]
    print_table(("study", study.title or "-"), rows)
    if found.reason:
        typer.echo(f"mtjspice: the point in the middle: {found.reason}", err=True)


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.2g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def _processors() -> int:
    from mtjspice.spice.pool import processors

    return processors()


@study_app.command()
def status(folder: Folder, as_json: AsJson = False) -> None:
    """Tell how many points are finished, failed or missing, and why the first failed.

    Works beside a running study.

    Example: mtjspice study status psw
    """
    from mtjspice.studies.folder import open_folder
    from mtjspice.studies.store import Store

    opened = open_folder(folder)
    with Store(folder, write=False) as store:
        counts, failures = store.counts(), store.failures(FAILURES_SHOWN)
    if as_json:
        print_json(
            {
                "title": opened.study.title, "points": sum(counts.values()), "status": counts,
                "failures": [
                    {"place": place, "values": dict(one.values), "status": one.status, "reason": one.reason,
                     "log": list(one.log)}
                    for place, one in failures
                ],
            }
        )  # fmt: skip
        return
    print_table((opened.study.title or "study", "points"), [(name, str(count)) for name, count in counts.items()])
    for place, one in failures:
        typer.echo(f"point {_place(place, opened.study)} {one.status}: {one.reason}")


@study_app.command()
def export(
    folder: Folder,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="File to write: .csv, .parquet or .nc; by default points.* in the folder."),
    ] = None,
    csv: Annotated[bool, typer.Option("--csv", help="A table as text.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="A table for pandas and its like.")] = False,
    netcdf: Annotated[bool, typer.Option("--netcdf", help="A dataset for xarray and its like.")] = False,
) -> None:
    """Write all points, with coordinates, status and seed: as a table (.csv, .parquet) or a dataset (.nc).

    Missing and failed points are empty. Parquet needs the extra: pip install 'mtjspice[parquet]'.

    Example: mtjspice study export psw -o psw.csv
    """
    from mtjspice.studies.export import export as write
    from mtjspice.studies.folder import open_folder

    chosen = [form for form, wanted in ((".csv", csv), (".parquet", parquet), (".nc", netcdf)) if wanted]
    if output is None and not chosen:
        raise InputError("say what to write: -o FILE, --csv, --parquet or --netcdf")
    if len(chosen) > 1 or (output is not None and chosen and output.suffix.lower() != chosen[0]):
        raise InputError("one form at a time: -o FILE, --csv, --parquet or --netcdf")
    path = output or folder / f"points{chosen[0]}"
    write(open_folder(folder).dataset(), path)
    if output is None:
        typer.echo(str(path))


@study_app.command()
def plot(
    folder: Folder,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Picture to write: .png, .pdf or .svg.")] = None,
    as_json: AsJson = False,
) -> None:
    """Print the tables of a study's analysis and draw its figure.

    Works on what is finished; every number says on how many points it rests.

    Example: mtjspice study plot psw -o psw.png
    """
    from mtjspice.reports.study_figures import draw
    from mtjspice.reports.style import FORMATS, save
    from mtjspice.studies.analyses.catalogue import analysis_of
    from mtjspice.studies.folder import open_folder

    if output is not None and output.suffix.lower().removeprefix(".") not in FORMATS:
        raise InputError(f"--output {output} must end in {', '.join(f'.{form}' for form in FORMATS)}")
    opened = open_folder(folder)
    data = opened.dataset()
    tables = analysis_of(opened.study).tables(data, opened.study)
    if output is not None:
        save(draw(data, opened.study, tables), output)
    if as_json:
        print_json({"tables": [one.as_dict() for one in tables]})
    else:
        _show(tables)
    _warn(opened)


@study_app.command()
def replay(
    folder: Folder,
    point: Annotated[str, typer.Option("--point", help="Its place along the dimensions, as 0,2,1; or its number.")],
    out: Annotated[Path | None, typer.Option("--out", help="Waveforms to write: .nc or .csv, in SI units.")] = None,
    plot_file: Annotated[Path | None, typer.Option("--plot", help="Picture to write: .png, .pdf or .svg.")] = None,
    deck: Annotated[Path | None, typer.Option("--deck", help="Deck to write, for plain ngspice.")] = None,
    as_json: AsJson = False,
) -> None:
    """Evaluate one point again, with its seed, and return its waveforms or its deck.

    Example: mtjspice study replay psw --point 2,0,1 --plot waveforms.png --out waveforms.nc
    """
    from mtjspice.files import write_atomically
    from mtjspice.reports import psw, waveforms
    from mtjspice.studies.folder import open_folder
    from mtjspice.studies.study import keyed

    psw.check_outputs(plot_file, out)
    opened = open_folder(folder)
    index = _index(point, opened.study)
    chosen = opened.point(index)
    with warnings_as_lines():
        if deck is not None:
            text = opened.study.subject.deck(chosen)
            if not text:
                raise InputError("this study has no decks")
            write_atomically(deck, text)
        (outcome,) = opened.study.subject.evaluate([chosen])
        if plot_file is not None or out is not None:
            data = opened.study.subject.waveforms(chosen)
        if out is not None:
            waveforms.write_data(data, out)
        if plot_file is not None:
            psw.save_figure(waveforms.figure, data, plot_file)
    ((key, _),) = keyed(opened.study.subject, [chosen])
    stored = _stored(folder, key)
    if as_json:
        print_json(
            {
                "point": dict(chosen.values), "seed": chosen.seed, "status": outcome.status.value,
                "reason": outcome.reason, "results": {k: None if v != v else v for k, v in outcome.results.items()},
                "stored": None if stored is None else {k: None if v != v else v for k, v in stored.items()},
            }
        )  # fmt: skip
        return
    typer.echo(", ".join(f"{name} = {value}" for name, value in chosen.values.items()) + f"; seed {chosen.seed}")
    if outcome.reason:
        typer.echo(f"{outcome.status.value}: {outcome.reason}")
    units = opened.study.subject.units
    rows = [
        (name, f"{value:.6g}", units.get(name, ""), _compared(name, value, stored))
        for name, value in outcome.results.items()
    ]
    print_table(("result", "value", "unit", "stored"), rows)


def _stored(folder: Path, key: str) -> dict[str, float] | None:
    from mtjspice.studies.store import Store

    with Store(folder, write=False) as store:
        found = store.get([key]).get(key)
    return dict(found.results) if found is not None else None


def _compared(name: str, value: float, stored: dict[str, float] | None) -> str:
    if stored is None or name not in stored:
        return "-"
    same = stored[name] == value or (stored[name] != stored[name] and value != value)
    return "the same" if same else f"{stored[name]:.6g}"


def _place(place: int, study: "Study") -> str:
    """Where a point is, as --point takes it."""
    from mtjspice.studies.rare_study import ANALYSIS

    if study.analysis == ANALYSIS:
        return str(place)
    return ",".join(map(str, study.space.index_of(place)))


def _index(text: str, study: "Study") -> tuple[int, ...]:
    from mtjspice.studies.rare_study import ANALYSIS

    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        raise InputError(f"--point {text!r} must be whole numbers with commas between, as 0,2,1") from None
    if len(numbers) == 1 and len(study.space.shape) != 1 and study.analysis != ANALYSIS:
        return study.space.index_of(numbers[0])
    return numbers
