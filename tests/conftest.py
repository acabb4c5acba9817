"""A shell that starts pytest in the background makes it ignore Ctrl-C, and its children too; tests press Ctrl-C."""

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
