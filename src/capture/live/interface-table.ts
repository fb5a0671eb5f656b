import type { CaptureInterface } from '../../model/packet.ts';
import { captureInterface } from '../capture-facts.ts';

/** Interfaces that are told apart in one capture; packets of further ones are counted as `(further interfaces)`. */
export const LIVE_INTERFACES = 4096;
const FURTHER = '(further interfaces)';

/**
 * From interface indexes to entries of the facts. An entry belongs to a name: an interface that went away and came
 * back with another index goes on with its entry, and an index that another interface has taken leads to another
 * entry. So names are asked for again after `expire`.
 */
export class InterfaceTable {
  readonly #entries: CaptureInterface[];
  #linkType: number;
  readonly #snaplen: number;
  /** null: there is no such interface (any more). */
  readonly #nameOf: (index: number) => string | null;
  #byName = new Map<string | null, CaptureInterface>();
  #byIndex = new Map<number, CaptureInterface>();
  #former = new Map<number, CaptureInterface>();

  /** `entries`: where new ones are added. */
  constructor(
    entries: CaptureInterface[],
    linkType: number,
    snaplen: number,
    nameOf: (index: number) => string | null,
  ) {
    this.#entries = entries;
    this.#linkType = linkType;
    this.#snaplen = snaplen;
    this.#nameOf = nameOf;
  }

  find(index: number): CaptureInterface {
    return this.#byIndex.get(index) ?? this.#look(index);
  }

  /** The entry for a name, also before it has packets. null: the name is not known. */
  entry(name: string | null): CaptureInterface {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    if (this.#entries.length >= LIVE_INTERFACES && name !== FURTHER) return this.entry(FURTHER);
    const entry = captureInterface(this.#entries.length, this.#linkType, this.#snaplen);
    entry.name = name;
    entry.timeDigits = 9;
    this.#entries.push(entry);
    this.#byName.set(name, entry);
    return entry;
  }

  /** Entries have one link type; from now on there are new ones. */
  changeLinkType(linkType: number): void {
    if (linkType === this.#linkType) return;
    this.#linkType = linkType;
    this.#byName = new Map();
    this.#byIndex = new Map();
    this.#former = new Map();
  }

  /** Names may have changed. */
  expire(): void {
    this.#former = this.#byIndex;
    this.#byIndex = new Map();
  }

  #look(index: number): CaptureInterface {
    const name = this.#nameOf(index);
    // Gone while its last packets still lie in the ring: they are its.
    const former = name === null ? this.#former.get(index) : undefined;
    const entry = former ?? this.entry(name);
    this.#byIndex.set(index, entry);
    return entry;
  }
}
