import type { InterfaceNotices } from './interface-notices.ts';
import { LIVE_INTERFACES } from './interface-table.ts';

/** Interfaces that are gone and waited for; beyond it the one that went first is forgotten, and is new if it comes. */
export const AWAITED_INTERFACES = 64;

/** What is asked of the kernel; null: there is no such interface now. */
export interface InterfaceQuestions {
  nameOf(index: number): string | null;
  indexOf(name: string): number | null;
}

/**
 * Follows the interfaces of a capture on `any` that have given packets: tells when one is gone, when it is back, and
 * when one that was not there at the beginning gives its first packet. Interfaces without packets are nobody's concern.
 */
export class SeenInterfaces {
  readonly #ask: InterfaceQuestions;
  readonly #notices: InterfaceNotices;
  /** Names that were there when the capture began; a name is taken out when its interface goes. */
  readonly #before: Set<string>;
  /** Those that are there, by name, with their index. At most LIVE_INTERFACES, as in the table of counts. */
  readonly #present = new Map<string, number>();
  /** Those that are gone, with their last index, the one that went first in front. */
  readonly #awaited = new Map<string, number>();

  /** `before`: names of the interfaces that are there as the capture begins. */
  constructor(ask: InterfaceQuestions, before: Iterable<string>, notices: InterfaceNotices) {
    this.#ask = ask;
    this.#before = new Set(before);
    this.#notices = notices;
  }

  /** Packets have come from this interface. To be called at times and not for every packet. */
  gave(name: string, index: number): void {
    const known = this.#present.get(name);
    if (known === index) return;
    if (known !== undefined) this.#movedTo(name, index, known);
    else if (this.#awaited.has(name)) this.#back(name, index);
    else if (this.#present.size < LIVE_INTERFACES) {
      this.#present.set(name, index);
      if (!this.#before.has(name)) this.#notices.tell('interface-new', `${name} is new, and gives packets`);
    }
  }

  /** Asks for each whether it is still there. To be called when something has happened to interfaces. */
  look(): void {
    for (const name of [...this.#awaited.keys()]) {
      const index = this.#ask.indexOf(name);
      if (index !== null) this.#back(name, index);
    }
    for (const [name, index] of [...this.#present]) {
      // One call while all is well; a name that is gone costs more to ask for.
      if (this.#ask.nameOf(index) === name) continue;
      const now = this.#ask.indexOf(name);
      if (now === null) this.#gone(name, index);
      else if (now !== index) this.#movedTo(name, now, index);
    }
  }

  /** Away and back between two looks: both are told. */
  #movedTo(name: string, index: number, formerIndex: number): void {
    this.#gone(name, formerIndex);
    this.#back(name, index);
  }

  #gone(name: string, index: number): void {
    this.#present.delete(name);
    this.#before.delete(name);
    this.#awaited.set(name, index);
    if (this.#awaited.size > AWAITED_INTERFACES) {
      const [first] = this.#awaited.keys();
      if (first !== undefined) this.#awaited.delete(first);
    }
    this.#notices.tell('interface-gone', `${name} is gone`);
  }

  #back(name: string, index: number): void {
    const former = this.#awaited.get(name);
    this.#awaited.delete(name);
    this.#present.set(name, index);
    const another = index === former ? '' : ` with another index (${index}, it was ${former})`;
    this.#notices.tell('interface-back', `${name} is back${another}`);
  }
}
