"""``python -m govmatch``."""

from govmatch.cli import main

if __name__ == "__main__":
    main(prog_name="govmatch")
