import { LINUX, type Libc, LibcError } from './libc.ts';

/** rtnetlink(7): the group that hears of interfaces. */
const GROUP_LINK = 1;
/** Reports taken at one look; those beyond are found at the next. */
const MOST_REPORTS = 4096;

/**
 * Whether something has happened to the interfaces of this network namespace, as rtnetlink reports it. What it was is
 * not read: reports may be lost, and whoever asks looks at the interfaces itself. A look costs one call while nothing
 * happens, however many interfaces there are.
 */
export class LinkChanges {
  readonly #libc: Libc;
  /** null: the kernel gives no such socket. */
  #fd: number | null;
  /** Reports are cut to it. */
  readonly #report = new Uint8Array(16);

  constructor(libc: Libc) {
    this.#libc = libc;
    this.#fd = opened(libc);
  }

  /** Since the last call. True also where that is not known. */
  happened(): boolean {
    if (this.#fd === null) return true;
    for (let reports = 0; reports < MOST_REPORTS; reports += 1) {
      try {
        if (!this.#libc.receive(this.#fd, this.#report)) return reports > 0;
      } catch (error) {
        // ENOBUFS: more has happened than there was room for.
        if (error instanceof LibcError) return true;
        throw error;
      }
    }
    return true;
  }

  /** A second call does nothing. */
  close(): void {
    if (this.#fd !== null) this.#libc.close(this.#fd);
    this.#fd = null;
  }
}

function opened(libc: Libc): number | null {
  let fd: number | null = null;
  try {
    fd = libc.socket(LINUX.AF_NETLINK, LINUX.SOCK_RAW | LINUX.SOCK_CLOEXEC, 0);
    // struct sockaddr_nl.
    const address = new Uint8Array(12);
    new Uint16Array(address.buffer)[0] = LINUX.AF_NETLINK;
    new Uint32Array(address.buffer)[2] = GROUP_LINK;
    libc.bind(fd, address);
    return fd;
  } catch (error) {
    if (fd !== null) libc.close(fd);
    if (error instanceof LibcError) return null;
    throw error;
  }
}
