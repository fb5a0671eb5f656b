import type { Key, KeyName } from './key.ts';

/** Characters of a paste that are kept; the rest is left out. */
const PASTE_CHARACTERS = 64 * 1024;
/** Characters of an escape sequence; a longer one is no key. */
const SEQUENCE_CHARACTERS = 32;
/**
 * Time after which Esc is the key and not the beginning of a sequence. Long enough for sequences that a slow line
 * tears apart, short enough not to be felt.
 */
const ESCAPE_WAIT_MS = 100;
/** Silence inside a paste after which its end is not waited for any more. */
const PASTE_WAIT_MS = 1000;

const ESC = '\x1b';
const PASTE_END = `${ESC}[201~`;

/** Final characters of CSI (ECMA-48 §5.4) and SS3 sequences, as xterm, VT220, rxvt and the Linux console send them. */
const FINALS: Readonly<Record<string, KeyName>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  H: 'home',
  F: 'end',
};
const TILDES: Readonly<Record<string, KeyName>> = {
  1: 'home',
  3: 'delete',
  4: 'end',
  5: 'page-up',
  6: 'page-down',
  7: 'home',
  8: 'end',
};
const CONTROLS: Readonly<Record<string, KeyName>> = {
  '\r': 'enter',
  '\n': 'enter',
  '\t': 'tab',
  '\x08': 'backspace',
  '\x7f': 'backspace',
};

type State = 'ground' | 'escape' | 'csi' | 'csi-function' | 'ss3' | 'paste';

/**
 * Bytes of a terminal become keys, however they are cut into chunks: the same bytes give the same keys. What is no
 * key that is known is left out. Never throws; holds at most PASTE_CHARACTERS.
 */
export class KeyParser {
  readonly #onKey: (key: Key) => void;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #state: State = 'ground';
  #held = '';
  /** Characters of PASTE_END that came last. */
  #endSeen = 0;

  constructor(onKey: (key: Key) => void) {
    this.#onKey = onKey;
  }

  /** Milliseconds without a further byte after which `expire` is to be called; null: nothing waits. */
  get waitMs(): number | null {
    if (this.#state === 'ground') return null;
    return this.#state === 'paste' ? PASTE_WAIT_MS : ESCAPE_WAIT_MS;
  }

  feed(bytes: Uint8Array): void {
    for (const character of this.#decoder.decode(bytes, { stream: true })) this.#take(character);
  }

  /** Nothing more came: what was begun is over. */
  expire(): void {
    const state = this.#state;
    if (state === 'paste') this.#endPaste();
    else if (state !== 'ground') this.#name('escape');
    this.#ground();
  }

  #take(character: string): void {
    if (this.#state === 'ground') this.#takePlain(character);
    else if (this.#state === 'escape') this.#takeAfterEscape(character);
    else if (this.#state === 'csi') this.#takeCsi(character);
    else if (this.#state === 'ss3') this.#takeSs3(character);
    else if (this.#state === 'paste') this.#takePasted(character);
    else this.#ground();
  }

  #takePlain(character: string): void {
    const control = CONTROLS[character];
    const code = character.codePointAt(0) ?? 0;
    if (character === ESC) this.#state = 'escape';
    else if (control !== undefined) this.#name(control);
    else if (code >= 1 && code <= 26) this.#name(`ctrl-${String.fromCharCode(96 + code)}`);
    else if (code >= 0x20 && !(code >= 0x7f && code < 0xa0)) {
      this.#onKey({ kind: 'character', text: character });
    }
  }

  /** Another key after Esc: Esc was a key of its own. That is also what Alt with a key sends. */
  #takeAfterEscape(character: string): void {
    if (character === '[') this.#state = 'csi';
    else if (character === 'O') this.#state = 'ss3';
    else {
      this.#name('escape');
      this.#ground();
      this.#takePlain(character);
    }
  }

  #takeCsi(character: string): void {
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x20 || code > 0x7e) {
      // Not part of any sequence: what was begun is void.
      this.#ground();
      this.#takePlain(character);
    } else if (code < 0x40) {
      if (this.#held.length < SEQUENCE_CHARACTERS) this.#held += character;
    } else if (character === '[' && this.#held === '') {
      // A function key of the Linux console: one more character.
      this.#state = 'csi-function';
    } else {
      const parameters = this.#held;
      this.#ground();
      this.#sequence(parameters, character);
    }
  }

  #sequence(parameters: string, final: string): void {
    if (final === '~' && parameters === '200') {
      this.#state = 'paste';
      return;
    }
    if (!/^[\d;]*$/.test(parameters)) return;
    const name = final === '~' ? TILDES[parameters.split(';')[0]] : FINALS[final];
    if (name !== undefined) this.#name(name);
  }

  #takeSs3(character: string): void {
    this.#ground();
    const name = character === 'M' ? 'enter' : FINALS[character];
    if (name !== undefined) this.#name(name);
    else if ((character.codePointAt(0) ?? 0) < 0x20) this.#takePlain(character);
  }

  /** The end of a paste begins with its only Esc, so what was taken for it and is not goes back as it was. */
  #takePasted(character: string): void {
    if (character !== PASTE_END[this.#endSeen]) {
      this.#keep(PASTE_END.slice(0, this.#endSeen));
      this.#endSeen = 0;
    }
    if (character !== PASTE_END[this.#endSeen]) this.#keep(character);
    else if (++this.#endSeen === PASTE_END.length) {
      this.#endPaste();
      this.#ground();
    }
  }

  #keep(text: string): void {
    if (this.#held.length + text.length <= PASTE_CHARACTERS) this.#held += text;
  }

  #endPaste(): void {
    if (this.#held !== '') this.#onKey({ kind: 'paste', text: this.#held });
  }

  #name(name: KeyName): void {
    this.#onKey({ kind: 'named', name });
  }

  #ground(): void {
    this.#state = 'ground';
    this.#held = '';
    this.#endSeen = 0;
  }
}
