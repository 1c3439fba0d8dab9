"""Commands for who trains on a release: pin it to a file, sign it."""

from pathlib import Path

import click

from flows.cli.commands import Command
from flows.cli.opened import open_store, read_settings
from flows.cli.release_checks import dataset_option
from flywheel.core.errors import BadSetting
from flywheel.core.releases import find_release


@click.command(cls=Command)
@click.argument("version")
@dataset_option
@click.option("--out", type=click.Path(dir_okay=False), metavar="FILE", help="Write it there; default: print it.")
def pin(version: str, dataset: str | None, out: str | None) -> None:
    """Write down which release it is, to be kept beside the training code: `verify --pin` knows it again.

    The pin has the hash of the manifest, which has the hash of every file: no other bytes pass for this release, even
    where somebody can write to the store. A tag moves; a pin does not.

    Example:
      flywheel releases pin latest --out dataset.pin.json
      flywheel releases verify --pin dataset.pin.json
    """
    from flywheel.publish.trust import pin_body, pin_of

    store = open_store()
    body = pin_body(pin_of(store, find_release(store, dataset or read_settings().dataset, version)))
    if out is None:
        click.echo(body, nl=False)
        return
    Path(out).write_bytes(body)
    click.echo(f"Wrote {out}.", err=True)


@click.command(cls=Command)
@click.argument("version")
@dataset_option
@click.option("--key", type=click.Path(dir_okay=False), metavar="FILE", help="Default: setting `signing_key`.")
def sign(version: str, dataset: str | None, key: str | None) -> None:
    """Sign a release that was published without a key; `minisign -Vm manifest.json -P KEY` checks it as well.

    Where `signing_key` is set, publish signs by itself.

    `minisign -G -W -p wheel.pub -s wheel.key` makes a key; the public half goes into `trusted_keys`.

    Example:
      flywheel releases sign latest --key wheel.key
    """
    from flywheel.core.minisign import read_secret_key
    from flywheel.publish.trust import sign_release

    settings, store = read_settings(), open_store()
    file = Path(key) if key else settings.signing_key
    if file is None:
        raise BadSetting("signing_key", None, "the file of a secret key (minisign -G -W), or --key FILE")
    release = find_release(store, dataset or settings.dataset, version)
    name = sign_release(store, release, read_secret_key(file))
    click.echo(f"Signed version {release.version} of {release.dataset}: {store.url(name)}")
