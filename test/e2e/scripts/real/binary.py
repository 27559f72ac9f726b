"""Bytes of every value on stdout, as a program in a pipe writes them."""
import sys

sys.stdout.buffer.write(bytes(range(256)) * 4096)
sys.stdout.buffer.write(b"\nauc: 0.75\n\xff\xfe\x00 no text \x80")
