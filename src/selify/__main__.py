from selify.cli import main

main()
