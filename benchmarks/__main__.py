"""`make bench`. Processes that a measured rebuild starts import this file again, so nothing else is imported here."""

if __name__ == "__main__":
    from benchmarks.table import main

    main()
