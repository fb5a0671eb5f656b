import type { LiveNotice } from '../../model/live.ts';
import type { InterfaceState } from './interface-probe.ts';

/** How an interface that was asked for is doing; null: it is not there. */
interface Watched {
  readonly name: string;
  state: InterfaceState | null;
  lastIndex: number;
}

/** Looks after the interfaces that the user named: whether they are there, under which index, and whether they work. */
export class NamedInterfaces {
  readonly #watched: readonly Watched[];
  readonly #stateOf: (name: string) => InterfaceState | null;
  readonly #onNotice: (notice: LiveNotice) => void;

  /** `first`: their states now, as the capture begins. */
  constructor(
    first: readonly { readonly name: string; readonly state: InterfaceState }[],
    stateOf: (name: string) => InterfaceState | null,
    onNotice: (notice: LiveNotice) => void,
  ) {
    this.#watched = first.map(({ name, state }) => ({ name, state, lastIndex: state.index }));
    this.#stateOf = stateOf;
    this.#onNotice = onNotice;
  }

  /** Of those that are there. */
  get indexes(): number[] {
    return this.#watched.flatMap(({ state }) => (state === null ? [] : [state.index]));
  }

  get someMissing(): boolean {
    return this.#watched.some(({ state }) => state === null);
  }

  /** In the order in which they were named. */
  get states(): (InterfaceState | null)[] {
    return this.#watched.map(({ state }) => state);
  }

  get names(): string[] {
    return this.#watched.map(({ name }) => name);
  }

  /** Asks for their states, and tells what has changed. True: an interface has come, or has another index. */
  look(): boolean {
    let changed = false;
    for (const watched of this.#watched) if (this.#lookAt(watched)) changed = true;
    return changed;
  }

  #lookAt(watched: Watched): boolean {
    const before = watched.state;
    const now = this.#stateOf(watched.name);
    watched.state = now;
    const { name, lastIndex } = watched;
    if (now === null) {
      if (before !== null) this.#tell('interface-gone', `${name} is gone; waiting for it to come back`);
      return false;
    }
    watched.lastIndex = now.index;
    if (before === null || before.index !== now.index) {
      // Away and back between two looks: both are told.
      if (before !== null) this.#tell('interface-gone', `${name} is gone; waiting for it to come back`);
      const index = now.index === lastIndex ? '' : ` with another index (${now.index}, it was ${lastIndex})`;
      this.#tell('interface-back', `${name} is back${index}${now.running ? '' : ', but its link is down'}`);
      return true;
    }
    const change = level(now) - level(before);
    if (change < 0) {
      this.#tell('link-down', now.up ? `the link of ${name} is down` : `${name} was taken down`);
    } else if (change > 0 && now.running) this.#tell('link-up', `the link of ${name} is up`);
    return false;
  }

  #tell(code: string, text: string): void {
    this.#onNotice({ code, text });
  }
}

/** 0: taken down, 1: up without carrier, 2: working. */
function level({ up, running }: InterfaceState): number {
  return running ? 2 : up ? 1 : 0;
}
