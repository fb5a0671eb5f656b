import { LINUX, type Libc, LibcError } from './libc.ts';

/** struct ifreq: a name of at most 15 bytes, then what is asked for. */
const NAME_BYTES = 16;
const VALUE = NAME_BYTES;
const REQUEST_BYTES = 40;

/** linux/if.h. */
const FLAG = { up: 0x1, loopback: 0x8, running: 0x40 } as const;

/** linux/if_arp.h: what an interface carries. */
export const HARDWARE_TYPE = { ethernet: 1, loopback: 772 } as const;

export interface InterfaceState {
  readonly index: number;
  /** ARPHRD_ number. */
  readonly hardwareType: number;
  readonly up: boolean;
  /** Up and with a carrier. */
  readonly running: boolean;
  readonly loopback: boolean;
  readonly mtu: number;
}

/**
 * Asks the kernel about interfaces (netdevice(7)) of the network namespace that `fd` was opened in. That is right
 * also where /sys shows another namespace, as after `nsenter --net`.
 */
export class InterfaceProbe {
  readonly #libc: Libc;
  readonly #fd: number;
  readonly #request = new Uint8Array(REQUEST_BYTES);
  readonly #words = new Int32Array(this.#request.buffer);
  readonly #halves = new Uint16Array(this.#request.buffer);

  /** `fd`: any socket; it stays the caller's. */
  constructor(libc: Libc, fd: number) {
    this.#libc = libc;
    this.#fd = fd;
  }

  /** null: there is no interface with that index now. */
  name(index: number): string | null {
    this.#request.fill(0);
    this.#words[VALUE / 4] = index;
    if (!this.#ask(LINUX.SIOCGIFNAME)) return null;
    const end = this.#request.indexOf(0);
    return Buffer.from(this.#request.subarray(0, Math.min(end, NAME_BYTES - 1))).toString();
  }

  /** null: there is no interface with that name (or alternative name) now. */
  index(name: string): number | null {
    return this.#number(name, LINUX.SIOCGIFINDEX);
  }

  /** null: there is no interface with that name (or alternative name) now. */
  state(name: string): InterfaceState | null {
    const index = this.index(name);
    const flags = this.#number(name, LINUX.SIOCGIFFLAGS);
    const mtu = this.#number(name, LINUX.SIOCGIFMTU);
    // It may go away between two questions.
    if (index === null || flags === null || mtu === null) return null;
    if (!this.#askAbout(name, LINUX.SIOCGIFHWADDR)) return null;
    const bits = flags & 0xffff;
    return {
      index,
      hardwareType: this.#halves[VALUE / 2],
      up: (bits & FLAG.up) !== 0,
      running: (bits & (FLAG.up | FLAG.running)) === (FLAG.up | FLAG.running),
      loopback: (bits & FLAG.loopback) !== 0,
      mtu,
    };
  }

  /** Flags have two bytes, the others four; the rest of the field is 0. */
  #number(name: string, request: number): number | null {
    if (!this.#askAbout(name, request)) return null;
    return request === LINUX.SIOCGIFFLAGS ? this.#halves[VALUE / 2] : this.#words[VALUE / 4];
  }

  #askAbout(name: string, request: number): boolean {
    const bytes = Buffer.from(name);
    if (bytes.length === 0 || bytes.length >= NAME_BYTES || bytes.includes(0)) return false;
    this.#request.fill(0);
    this.#request.set(bytes);
    return this.#ask(request);
  }

  #ask(request: number): boolean {
    try {
      this.#libc.ioctl(this.#fd, request, this.#request);
      return true;
    } catch (error) {
      if (error instanceof LibcError) return false;
      throw error;
    }
  }
}
