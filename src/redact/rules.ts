import { AddressMap } from './addresses.ts';
import type { RedactionKey } from './key.ts';
import { Pseudonyms } from './pseudonyms.ts';
import { SecretBook } from './secrets.ts';
import { Tally } from './tally.ts';
import { isName, isPlainPiece } from './words.ts';

/** What a user may have otherwise than the defaults. */
export interface RedactionChoices {
  /** Addresses of all kinds, also hardware addresses, stay. */
  readonly keepAddresses: boolean;
  /** Host names stay. */
  readonly keepHosts: boolean;
  /** Path segments that are plain words are masked too. */
  readonly maskPaths: boolean;
  /** Nothing of bodies stays, not even their structure. */
  readonly scrubBodies: boolean;
}

export const DEFAULT_CHOICES: RedactionChoices = Object.freeze({
  keepAddresses: false,
  keepHosts: false,
  maskPaths: false,
  scrubBodies: false,
});

/** Public endings of host names, which say nothing about whose they are; also those of two letters. */
const PUBLIC_LABELS = new Set(
  'com org net edu gov mil int info io dev app cloud test example invalid local localhost localdomain internal lan home arpa svc cluster default www'.split(
    ' ',
  ),
);
const SHORTEST_LEARNT = 6;

/** What all redactors of a run share: the key's pseudonyms, the secrets found so far, and the counts. */
export class RedactionRules {
  readonly choices: RedactionChoices;
  readonly addresses: AddressMap;
  readonly secrets = new SecretBook();
  readonly replaced = new Tally();
  readonly kept = new Tally();
  readonly #pseudonyms: Pseudonyms;

  constructor(key: RedactionKey, choices: RedactionChoices) {
    this.choices = choices;
    this.addresses = new AddressMap(key, choices.keepAddresses);
    this.#pseudonyms = new Pseudonyms(key, this.addresses);
  }

  /** The pseudonym of a value, of equal length. */
  mask(value: string): string {
    return this.#pseudonyms.of(value);
  }

  /** The same for a value from a place where only secrets stand; it is looked for elsewhere too. */
  maskSecret(value: string): string {
    if (value.length >= SHORTEST_LEARNT) this.secrets.note(value);
    return this.mask(value);
  }

  /** A name of a field, parameter, key or path segment: stays when it looks like one and holds no known secret. */
  name(text: string): string {
    return isName(text) && !this.secrets.appearsIn(text) ? text : this.mask(text);
  }

  /** Free text of words and versions: pieces that look like these stay, the others are masked. */
  words(text: string): string {
    return text.replace(/[^\s,;=/()"*]+/g, (piece) =>
      isPlainPiece(piece) && !this.secrets.appearsIn(piece) ? piece : this.mask(piece),
    );
  }

  /** Free text of which nothing is known: every piece is masked, so that equal pieces stay equal. */
  free(text: string, secret = false): string {
    return text.replace(/[^\s,;="<>()&]+/g, (piece) => (secret ? this.maskSecret(piece) : this.mask(piece)));
  }

  /** A host with or without port (RFC 3986 §3.2.2): an address, or a name label by label. */
  host(text: string): string {
    const bracketed = /^\[([^\]]*)\](:\d{0,5})?$/.exec(text);
    if (bracketed !== null) {
      const inner = this.addresses.text(bracketed[1]!) ?? this.mask(bracketed[1]!);
      return `[${inner}]${bracketed[2] ?? ''}`;
    }
    const bare = this.addresses.text(text);
    if (bare !== null) return bare;
    const port = /:\d{1,5}$/.exec(text)?.[0] ?? '';
    const name = port === '' ? text : text.slice(0, -port.length);
    const address = this.addresses.text(name);
    if (address !== null) return `${address}${port}`;
    if (this.choices.keepHosts && /^[A-Za-z0-9._-]*$/.test(name) && !this.secrets.appearsIn(name))
      return text;
    const labels = name.split('.');
    const masked = labels.map((label, index) => {
      const isLast = index === labels.length - 1;
      const isPublic =
        PUBLIC_LABELS.has(label.toLowerCase()) || (isLast && labels.length > 1 && /^[a-z]{2}$/i.test(label));
      return isPublic && !this.secrets.appearsIn(label) ? label : this.#label(label);
    });
    return `${masked.join('.')}${port}`;
  }

  /** Labels are the same in either case. */
  #label(label: string): string {
    const masked = this.mask(label.toLowerCase());
    return masked.replace(/[a-z]/g, (letter, at: number) =>
      /[A-Z]/.test(label[at]!) ? letter.toUpperCase() : letter,
    );
  }
}
