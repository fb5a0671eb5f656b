"""A trunk between access ports, for kernels without 802.1Q: what comes in at a port leaves at its trunk with tags, and
what comes in at a trunk leaves at its port without them.

usage: tagged_line.py PORT TRUNK PORT TRUNK --tags TPID:VLAN[,TPID:VLAN]   (outermost first, TPID in hexadecimal)
"""

import argparse
import select
import socket
import struct

parser = argparse.ArgumentParser()
parser.add_argument("names", nargs=4)
parser.add_argument("--tags", required=True)
options = parser.parse_args()

ETH_P_ALL = 3
PACKET_OUTGOING = 4
TPIDS = (b"\x81\x00", b"\x88\xa8")

tags = b""
for tag in options.tags.split(","):
    tpid, vlan = tag.split(":")
    tags += struct.pack("!HH", int(tpid, 16), int(vlan))


def interface(name):
    opened = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    opened.bind((name, ETH_P_ALL))
    return opened


ports = [interface(name) for name in options.names[0::2]]
trunks = [interface(name) for name in options.names[1::2]]
print("ready", flush=True)
while True:
    for readable in select.select(ports + trunks, [], [])[0]:
        frame, address = readable.recvfrom(70000)
        if address[2] == PACKET_OUTGOING:
            continue
        if readable in ports:
            trunks[ports.index(readable)].send(frame[:12] + tags + frame[12:])
            continue
        # The kernel has taken the outermost tag off already; on a kernel that has not, it goes here.
        while frame[12:14] in TPIDS:
            frame = frame[:12] + frame[16:]
        ports[trunks.index(readable)].send(frame)
