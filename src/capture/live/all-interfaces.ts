import type { LiveNotice } from '../../model/live.ts';
import { InterfaceNotices } from './interface-notices.ts';
import type { InterfaceProbe } from './interface-probe.ts';
import { interfaceNames } from './interfaces.ts';
import type { Libc } from './libc.ts';
import { LinkChanges } from './link-changes.ts';
import { SeenInterfaces } from './seen-interfaces.ts';

/**
 * Looks after the interfaces of a capture on `any`: packets come whatever happens to them, so it is only told. What
 * NamedInterfaces is for those that the user named.
 */
export class AllInterfaces {
  readonly #changes: LinkChanges;
  readonly #notices: InterfaceNotices;
  readonly #seen: SeenInterfaces;

  /** The namespace is that of the calling thread, which `probe` asks too. */
  constructor(libc: Libc, probe: InterfaceProbe, onNotice: (notice: LiveNotice) => void) {
    this.#notices = new InterfaceNotices(onNotice, () => performance.now());
    // Before the names are read, so that nothing happens unseen in between.
    this.#changes = new LinkChanges(libc);
    const ask = {
      nameOf: (index: number) => probe.name(index),
      indexOf: (name: string) => probe.index(name),
    };
    this.#seen = new SeenInterfaces(ask, interfaceNames(), this.#notices);
  }

  /** Packets have come from the interface of this name. To be called at times and not for every packet. */
  gave(name: string, index: number): void {
    this.#seen.gave(name, index);
  }

  /** Tells what has changed since the last look. */
  look(): void {
    this.#notices.tick();
    if (this.#changes.happened()) this.#seen.look();
  }

  /** Tells what has been held back. A second call does nothing. */
  close(): void {
    this.#notices.finish();
    this.#changes.close();
  }
}
