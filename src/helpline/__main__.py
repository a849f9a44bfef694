"""`python -m helpline` is `helpline`."""

from helpline.cli import main

if __name__ == "__main__":
    main()
