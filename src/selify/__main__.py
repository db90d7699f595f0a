import os

from selify.cli import main

if os.environ.get("SELIFY_SUPERVISED"):
    from selify.supervisor import end_with_supervisor

    end_with_supervisor()

main()
