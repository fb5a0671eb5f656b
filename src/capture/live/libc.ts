import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';

/**
 * Numbers of the Linux headers. They are the same on x64, arm64, riscv64, loong64 and ppc64, in both byte orders;
 * ARCHITECTURES lists where that holds and where pointers and offsets have 64 bits, as `mmap` is declared here.
 */
export const LINUX = {
  AF_UNIX: 1,
  AF_NETLINK: 16,
  AF_PACKET: 17,
  SOCK_DGRAM: 2,
  SOCK_RAW: 3,
  SOCK_CLOEXEC: 0o2000000,
  ETH_P_ALL: 0x0003,
  SOL_SOCKET: 1,
  SO_ERROR: 4,
  SO_ATTACH_FILTER: 26,
  SOL_PACKET: 263,
  MSG_DONTWAIT: 0x40,
  EAGAIN: 11,
  PROT_READ: 1,
  PROT_WRITE: 2,
  MAP_SHARED: 0x01,
  MAP_PRIVATE: 0x02,
  MAP_FIXED: 0x10,
  MAP_ANONYMOUS: 0x20,
  SIOCGIFNAME: 0x8910,
  SIOCGIFFLAGS: 0x8913,
  SIOCGIFMTU: 0x8921,
  SIOCGIFHWADDR: 0x8927,
  SIOCGIFINDEX: 0x8933,
} as const;

/** Values of process.arch for which LINUX is right. */
export const ARCHITECTURES: readonly string[] = ['x64', 'arm64', 'riscv64', 'loong64', 'ppc64'];

export const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** A call of the C library that failed. */
export class LibcError extends Error {
  override readonly name = 'LibcError';
  readonly call: string;
  /** As in errno.h: EPERM, ENODEV, … */
  readonly code: string;

  constructor(call: string, errno: number) {
    const code = errno > 0 ? getSystemErrorName(-errno) : 'unknown';
    super(`${call}: ${code}`);
    this.call = call;
    this.code = code;
  }
}

/** What a watch on a descriptor in the event loop can do. */
export interface DescriptorWatch {
  stop(): void;
  close(): void;
}

/** The few calls that a packet socket takes. All throw LibcError, except `close`. */
export interface Libc {
  socket(domain: number, type: number, protocol: number): number;
  close(fd: number): void;
  bind(fd: number, address: Uint8Array): void;
  setOption(fd: number, level: number, name: number, value: Uint8Array): void;
  /** SO_ATTACH_FILTER with instructions of 8 bytes each (struct sock_filter). */
  attachFilter(fd: number, instructions: Uint8Array): void;
  /** Fills `value`. */
  getOption(fd: number, level: number, name: number, value: Uint8Array): void;
  /** Takes a datagram, cut to `bytes`, without waiting. False: there is none. */
  receive(fd: number, bytes: Uint8Array): boolean;
  /** `argument` is read and written. */
  ioctl(fd: number, request: number, argument: Uint8Array): void;
  /** Maps `bytes` of a descriptor, shared and writable; gives the address. */
  map(fd: number, bytes: number): bigint;
  /**
   * Puts zeros in the place of a mapping. What was mapped there is let go, but the addresses stay valid for ever: a
   * view that somebody still holds reads zeros, where after munmap it would end the process.
   */
  replaceWithZeros(address: bigint, bytes: number): void;
  /** The mapping itself, not a copy. */
  view(address: bigint, bytes: number): ArrayBuffer;
  /** CLOCK_REALTIME, by which the kernel stamps packets: ns since the given second of 1970. */
  realTimeNs(epochSeconds: number): number;
  /**
   * Calls back, again and again until it is stopped, while packets are there or (a status below 0, once) the socket
   * has an error. In this thread's event loop, which it keeps alive. To be closed before the descriptor.
   */
  watch(fd: number, callback: (status: number) => void): DescriptorWatch;
}

type Koffi = typeof import('koffi');
/** Since koffi 2.12; its declarations leave out the status that the callback gets. */
type PollFunction = (
  fd: number,
  options: { readable: boolean },
  callback: (status: number) => void,
) => DescriptorWatch;

const MAP_FAILED = 2n ** 64n - 1n;

let loaded: Libc | null = null;

/** The C library of this process. Loads koffi at the first call; throws what the loading throws. */
export function libc(): Libc {
  loaded ??= bindings(createRequire(import.meta.url)('koffi') as Koffi);
  return loaded;
}

function bindings(koffi: Koffi): Libc {
  // Symbols of the process itself: glibc or musl, whichever Node runs on.
  const library = koffi.load(null);
  const program = koffi.pointer(koffi.struct({ length: 'uint16_t', filter: 'void *' }));
  const socket = library.func('int socket(int domain, int type, int protocol)');
  const close = library.func('int close(int fd)');
  const bind = library.func('int bind(int fd, void *address, uint32_t bytes)');
  const setsockopt = library.func('int setsockopt(int fd, int level, int name, void *value, uint32_t bytes)');
  const attach = library.func('setsockopt', 'int', ['int', 'int', 'int', program, 'uint32_t']);
  const getsockopt = library.func(
    'int getsockopt(int fd, int level, int name, _Inout_ uint8_t *value, _Inout_ uint32_t *bytes)',
  );
  const ioctl = library.func('int ioctl(int fd, unsigned long request, _Inout_ uint8_t *argument)');
  const recv = library.func('int64_t recv(int fd, void *bytes, size_t length, int flags)');
  const mmap = library.func(
    'void *mmap(void *address, size_t bytes, int protection, int flags, int fd, int64_t offset)',
  );
  const clockGettime = library.func('int clock_gettime(int clock, _Out_ int64_t *time)');
  const poll = koffi.node.poll as unknown as PollFunction;

  const checked = (call: string, result: number): number => {
    if (result < 0) throw new LibcError(call, koffi.errno());
    return result;
  };
  const mapped = (call: string, result: bigint): bigint => {
    if (result === MAP_FAILED) throw new LibcError(call, koffi.errno());
    return result;
  };
  const { PROT_READ, PROT_WRITE, MAP_SHARED, MAP_PRIVATE, MAP_FIXED, MAP_ANONYMOUS } = LINUX;
  const access = PROT_READ | PROT_WRITE;
  const lengthCell = new Uint32Array(1);
  const programBytes = 16;
  const clockRealtime = 0;
  const timespec = new BigInt64Array(2);
  return {
    socket: (domain, type, protocol) => checked('socket', socket(domain, type, protocol)),
    close: (fd) => {
      close(fd);
    },
    bind: (fd, address) => {
      checked('bind', bind(fd, address, address.length));
    },
    setOption: (fd, level, name, value) => {
      checked(`setsockopt ${name}`, setsockopt(fd, level, name, value, value.length));
    },
    attachFilter: (fd, instructions) => {
      const value = { length: instructions.length / 8, filter: instructions };
      checked(
        'setsockopt SO_ATTACH_FILTER',
        attach(fd, LINUX.SOL_SOCKET, LINUX.SO_ATTACH_FILTER, value, programBytes),
      );
    },
    getOption: (fd, level, name, value) => {
      lengthCell[0] = value.length;
      checked(`getsockopt ${name}`, getsockopt(fd, level, name, value, lengthCell));
    },
    ioctl: (fd, request, argument) => {
      checked(`ioctl 0x${request.toString(16)}`, ioctl(fd, request, argument));
    },
    receive: (fd, bytes) => {
      if (Number(recv(fd, bytes, bytes.length, LINUX.MSG_DONTWAIT)) >= 0) return true;
      if (koffi.errno() === LINUX.EAGAIN) return false;
      throw new LibcError('recv', koffi.errno());
    },
    map: (fd, bytes) => mapped('mmap', mmap(null, bytes, access, MAP_SHARED, fd, 0)),
    replaceWithZeros: (address, bytes) => {
      mapped('mmap', mmap(address, bytes, access, MAP_PRIVATE | MAP_FIXED | MAP_ANONYMOUS, -1, 0));
    },
    view: (address, bytes) => koffi.view(address, bytes),
    realTimeNs: (epochSeconds) => {
      checked('clock_gettime', clockGettime(clockRealtime, timespec));
      return (Number(timespec[0]) - epochSeconds) * 1e9 + Number(timespec[1]);
    },
    watch: (fd, callback) => poll(fd, { readable: true }, callback),
  };
}
