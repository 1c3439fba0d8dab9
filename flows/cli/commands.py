"""What all commands are made of: help that keeps its example as it is, and groups that import late."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import click


def _with_example(text: str | None) -> str | None:
    """Mark the Example: section as one that click must not wrap (its sign for that is a backspace)."""
    return text and inspect.cleandoc(text).replace("\n\nExample:\n", "\n\n\b\nExample:\n")


class Command(click.Command):
    """A command whose help ends in an Example: section."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = _with_example(self.help)


class Group(click.Group):
    """A group whose help ends in an Example: section."""

    command_class = Command

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.help = _with_example(self.help)


@dataclass(frozen=True, slots=True)
class Lazy:
    """Where a command lives, as `module:attribute`, and the line that --help shows for it."""

    target: str
    short_help: str


class LazyGroup(Group):
    """Commands by section; a command's module is imported by `get_command` and by nothing else."""

    sections: Mapping[str, Mapping[str, Lazy]] = {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names in the order of the sections."""
        del ctx
        return [name for commands in self.sections.values() for name in commands]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; None for a name that is none."""
        del ctx
        for commands in self.sections.values():
            if cmd_name in commands:
                module, _, attribute = commands[cmd_name].target.partition(":")
                command = getattr(import_module(module), attribute)
                if not isinstance(command, click.Command):
                    raise TypeError(f"{commands[cmd_name].target!r} is a {type(command).__name__}, not a command")
                return command
        return None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the static short helps, section by section."""
        del ctx
        for title, commands in self.sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, lazy.short_help) for name, lazy in commands.items()])
