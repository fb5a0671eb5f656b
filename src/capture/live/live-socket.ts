import { UserError } from '../../model/errors.ts';
import { type BpfInstruction, instruction, OP } from '../packet-filter/bpf.ts';
import { interfaceProgram } from '../packet-filter/socket-program.ts';
import { AllInterfaces } from './all-interfaces.ts';
import { InterfaceProbe } from './interface-probe.ts';
import { LINUX, type Libc, LibcError } from './libc.ts';
import type { LiveOptions } from './live-options.ts';
import { withoutLoopbackCopies } from './loopback-copies.ts';
import { NamedInterfaces } from './named-interfaces.ts';
import { RING, ringShape } from './ring-shape.ts';
import { type RingCounts, RingSocket } from './ring-socket.ts';
import { LINKTYPE_ETHERNET, type SocketKind, socketKind } from './socket-kind.ts';

const NOTHING: readonly BpfInstruction[] = [instruction(OP.ret, 0)];

/** An interface that the user named does not exist. */
export class NoSuchInterface extends Error {
  override readonly name = 'NoSuchInterface';
  readonly interfaceName: string;
  constructor(interfaceName: string) {
    super(interfaceName);
    this.interfaceName = interfaceName;
  }
}

/**
 * The packet socket of a capture over the life of its interfaces. One interface: the socket is bound to it, and bound
 * anew when the interface has come back; a new one is opened when it came back as another kind. Several: the socket
 * is bound to all, and its filter knows the indexes. All: nothing needs to be followed, it is only told.
 */
export class LiveSocket {
  ring: RingSocket;
  kind: SocketKind;
  /** False: what the filter or the interface indexes leave out comes too. */
  filtersInKernel = true;
  /** The interface has come back as another kind: `reopen` when the ring is empty. */
  reopenDue = false;
  /** null: all interfaces. */
  readonly named: NamedInterfaces | null = null;
  readonly probe: InterfaceProbe;
  /** null: interfaces were named. */
  readonly #all: AllInterfaces | null = null;
  readonly libc: Libc;
  readonly #options: LiveOptions;
  /** Bound to one interface. A group's sockets may not be bound anew, so there the filter picks the interface. */
  readonly #bound: boolean;
  readonly #probeFd: number;
  /** Of the fanout; null: there is none, or it is still to be begun. */
  #group: number | null;
  /** Nothing is taken before `takePackets`. */
  #waits: boolean;
  readonly #former: RingCounts = { received: 0, dropped: 0, freezes: 0 };
  readonly #told = new Set<string>();
  #ringBytes: number;

  /** `names`: null for all interfaces. Packets come from now on. Throws NoSuchInterface and LibcError. */
  constructor(libc: Libc, names: readonly string[] | null, options: LiveOptions) {
    this.libc = libc;
    this.#options = options;
    this.#ringBytes = options.ringBytes;
    const { fanoutGroup } = options;
    this.#group = typeof fanoutGroup === 'number' ? fanoutGroup : null;
    this.#waits = options.begun !== undefined;
    this.#bound = names?.length === 1 && !this.#shares;
    // Any socket can ask; this one stays when the ring's is replaced.
    this.#probeFd = libc.socket(LINUX.AF_UNIX, LINUX.SOCK_DGRAM | LINUX.SOCK_CLOEXEC, 0);
    let ring: RingSocket | null = null;
    try {
      this.probe = new InterfaceProbe(libc, this.#probeFd);
      if (names !== null) this.named = this.#lookAfter(names);
      else this.#all = new AllInterfaces(libc, this.probe, options.onNotice);
      this.kind = this.#kind();
      ring = this.#openRing();
      this.ring = ring;
      this.#begin(ring);
    } catch (error) {
      ring?.close();
      this.#all?.close();
      libc.close(this.#probeFd);
      throw error;
    }
  }

  #lookAfter(names: readonly string[]): NamedInterfaces {
    const first = names.map((name) => {
      const state = this.probe.state(name);
      if (state === null) throw new NoSuchInterface(name);
      return { name, state };
    });
    const { onNotice } = this.#options;
    for (const { name, state } of first) {
      if (!state.up) onNotice({ code: 'link-down', text: `${name} is down; packets come when it is up` });
    }
    return new NamedInterfaces(first, (name) => this.probe.state(name), onNotice);
  }

  /** Name of an interface that packets have come from; null: it is not there any more. */
  nameOf(index: number): string | null {
    const name = this.probe.name(index);
    if (name !== null) this.#all?.gave(name, index);
    return name;
  }

  /** As the interfaces are now. */
  #kind(): SocketKind {
    const only = this.named?.states.length === 1 ? this.named.states[0] : null;
    return socketKind(only?.hardwareType ?? null);
  }

  /** A smaller ring when the kernel has not so much memory in one piece. */
  #openRing(): RingSocket {
    for (;;) {
      const { blockBytes, blocks } = ringShape(this.#ringBytes);
      try {
        return new RingSocket(this.libc, {
          raw: this.kind.raw,
          blockBytes,
          blocks,
          retireMs: this.#options.handoverMs ?? RING.handoverMs,
        });
      } catch (error) {
        const refused = error instanceof LibcError && error.code === 'ENOMEM';
        if (!refused || blockBytes * blocks <= RING.leastBytes) throw error;
        this.#ringBytes = Math.floor((blockBytes * blocks) / 2);
        const text = `the kernel has no memory for a ring of ${blockBytes * blocks} bytes; it gets half as much`;
        this.#options.onNotice({ code: 'ring-smaller', text });
      }
    }
  }

  /** The filter first, so that nothing gets in that it would leave out. */
  #begin(ring: RingSocket): void {
    this.#attach(ring);
    this.#promiscuous(ring);
    ring.bind(this.#bound ? (this.named?.indexes[0] ?? 0) : 0);
    if (!this.#shares) return;
    this.#group = ring.joinFanout(this.#group);
    this.#options.onFanoutGroup?.(this.#group);
  }

  get #shares(): boolean {
    const { fanoutGroup } = this.#options;
    return fanoutGroup !== null && fanoutGroup !== undefined;
  }

  /** Lets packets in, where the options' `begun` has kept them out so far. */
  takePackets(): void {
    this.#waits = false;
    if (!this.ring.closed) this.#attach(this.ring);
  }

  #attach(ring: RingSocket): void {
    const { filter, snaplen } = this.#options;
    const indexes = this.#bound ? null : (this.named?.indexes ?? null);
    if (this.#waits || indexes?.length === 0) {
      ring.attach(NOTHING);
      return;
    }
    const plain = this.#withPrelude(interfaceProgram(indexes, snaplen));
    this.filtersInKernel = true;
    if (filter !== null) {
      const { raw, linkType } = this.kind;
      const link = !raw ? 'cooked' : linkType === LINKTYPE_ETHERNET ? 'ethernet' : null;
      const program = link === null ? null : filter.kernelProgram(link, indexes, snaplen);
      const refusal =
        program === null
          ? 'it cannot be written as a program for the kernel'
          : attached(ring, this.#withPrelude(program));
      if (refusal === null) return;
      this.filtersInKernel = false;
      this.#tellOnce(
        'filter-in-wirelens',
        `the kernel does not filter: ${refusal}; Wirelens looks at every packet`,
      );
    }
    const refusal = attached(ring, plain);
    if (refusal === null) return;
    this.filtersInKernel = false;
    this.#tellOnce(
      'no-kernel-filter',
      `the kernel takes no filter (${refusal}); Wirelens looks at every packet`,
    );
  }

  #withPrelude(program: readonly BpfInstruction[]): readonly BpfInstruction[] {
    const states = this.#bound ? this.named?.states : undefined;
    const mayLoop = states === undefined || states.some((state) => state === null || state.loopback);
    return mayLoop ? withoutLoopbackCopies(program) : program;
  }

  #promiscuous(ring: RingSocket): void {
    if (!this.#options.promiscuous || this.named === null) return;
    for (const index of this.named.indexes) {
      try {
        ring.promiscuous(index);
      } catch (error) {
        if (!(error instanceof LibcError)) throw error;
        const name = this.probe.name(index) ?? `interface ${index}`;
        this.#tellOnce(`not-promiscuous ${name}`, `${name} is not in promiscuous mode: ${error.code}`);
      }
    }
  }

  /**
   * Tells what has changed about interfaces, and follows the named ones. `hadError`: the socket had one. It may have lost an
   * interface that is there again already, even with its former index.
   */
  look(hadError: boolean): void {
    this.#all?.look();
    const { named } = this;
    if (named === null) return;
    const lost = named.look() || (hadError && this.#bound && named.states[0]?.up === true);
    if (!lost) return;
    this.reopenDue = this.#bound && this.#kind().linkType !== this.kind.linkType;
    if (!this.reopenDue) this.#rejoin();
  }

  /** Interfaces have other indexes now. */
  #rejoin(): void {
    this.#attach(this.ring);
    this.#promiscuous(this.ring);
    if (!this.#bound) return;
    try {
      this.ring.bind(this.named?.indexes[0] ?? 0);
    } catch (error) {
      // Gone again; the next look finds that.
      if (!(error instanceof LibcError)) throw error;
    }
  }

  /** Gives up the former interface's ring, and opens one on the present interface. False: that cannot be done. */
  reopen(): boolean {
    this.reopenDue = false;
    const former = this.kind;
    this.kind = this.#kind();
    let ring: RingSocket | null = null;
    try {
      ring = this.#openRing();
      this.#begin(ring);
    } catch (error) {
      ring?.close();
      this.kind = former;
      if (error instanceof UserError) {
        // Said of packets of another kind, the filter may have no meaning.
        this.#tellOnce('interface-lost', `the interface is not captured any more: ${error.message}`);
        return false;
      }
      if (!(error instanceof LibcError)) throw error;
      this.reopenDue = this.named !== null && !this.named.someMissing;
      return false;
    }
    this.ring.count();
    const { counts } = this.ring;
    this.#former.received += counts.received;
    this.#former.dropped += counts.dropped;
    this.#former.freezes += counts.freezes;
    this.ring.close();
    this.ring = ring;
    const { linkType } = this.kind;
    const text = `the interface came back as another kind; its packets have link type ${linkType} from now on`;
    this.#options.onNotice({ code: 'link-type-changed', text });
    return true;
  }

  /** The filter lets nothing in any more. False: the kernel takes no filter. */
  takeNothing(): boolean {
    return attached(this.ring, NOTHING) === null;
  }

  /** Counts of the kernel since the capture began. */
  count(): RingCounts {
    this.ring.count();
    const { counts } = this.ring;
    return {
      received: this.#former.received + counts.received,
      dropped: this.#former.dropped + counts.dropped,
      freezes: this.#former.freezes + counts.freezes,
    };
  }

  /** A second call does nothing. */
  close(): void {
    if (this.ring.closed) return;
    this.ring.close();
    this.#all?.close();
    this.libc.close(this.#probeFd);
  }

  #tellOnce(code: string, text: string): void {
    if (this.#told.has(code)) return;
    this.#told.add(code);
    this.#options.onNotice({ code: code.split(' ')[0], text });
  }
}

/** null, or why the kernel does not take the program. */
function attached(ring: RingSocket, program: readonly BpfInstruction[]): string | null {
  try {
    ring.attach(program);
    return null;
  } catch (error) {
    if (error instanceof LibcError) return error.code;
    throw error;
  }
}
