/** Programs that take without end, in Python, which has the system calls. */
const programs = {
  // Those that are made hold their places for a while, and then end: a bomb that goes on would starve other tests.
  processes: `
import os, time
try:
    while True:
        if os.fork() == 0:
            time.sleep(2)
            os._exit(0)
except OSError:
    time.sleep(2)
`,
  descriptors: `
import os
held = []
try:
    while True: held.append(os.open("/dev/null", os.O_RDONLY))
except OSError as error:
    print(len(held), error)
`,
  connections: `
import socket, sys
held = []
failed = 0
for _ in range(int(sys.argv[1])):
    s = socket.socket()
    s.setblocking(False)
    try: s.connect_ex(("198.18.255.254", 9000) if len(held) % 2 else ("127.0.0.1", 3128))
    except OSError: failed += 1
    held.append(s)
import time
time.sleep(2)
print(len(held), failed)
`,
  names: `
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", 53))
for at in range(int(sys.argv[1])):
    name = b"".join(bytes([len(label)]) + label for label in [b"n%d" % at, b"example", b"test"])
    try: s.send(struct.pack(">HHHHHH", at & 0xffff, 0x100, 1, 0, 0, 0) + name + b"\\0\\0\\1\\0\\1")
    except OSError: pass
`,
} as const;

/** A shell's words that run the program; its output is of no interest. */
export function python(program: keyof typeof programs, ...args: readonly number[]): string {
  return `python3 - ${args.join(" ")} <<'PROGRAM'\n${programs[program]}\nPROGRAM\ntrue`;
}
