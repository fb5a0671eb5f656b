import { isSecretField } from '../../model/secrets.ts';

/** Fields kept with an exchange beside those that have a place of their own. Never credentials or cookies. */
export const KEPT_FIELDS: readonly string[] =
  'referer location server via retry-after x-request-id x-correlation-id x-forwarded-for x-real-ip traceparent content-encoding transfer-encoding upgrade origin etag age cache-control accept range content-range'.split(
    ' ',
  );
const PLACED_FIELDS = ['host', 'expect', 'user-agent', 'content-type', 'content-length', 'transfer-encoding'];
/** Longer names are not looked for. */
export const LONGEST_FIELD_NAME = 64;
/** Which header fields are kept, in a form that rejects the others by their first letter and length. */
export class KeptFields {
  /** Lower case, without repetitions. */
  readonly names: readonly string[];
  /** By length of the name. */
  readonly byLength: readonly (readonly string[])[];
  /** Those whose values are masked. */
  readonly secret: ReadonlySet<string>;
  readonly #interest = new Uint8Array(256 * LONGEST_FIELD_NAME);

  /** `more`: lower-case names to keep beside the usual ones. `reveal`: credentials are kept as they are. */
  constructor(more: readonly string[] = [], reveal = false) {
    this.names = [...new Set([...KEPT_FIELDS, ...more])];
    this.byLength = Array.from({ length: LONGEST_FIELD_NAME }, (_, length) =>
      this.names.filter((name) => name.length === length),
    );
    this.secret = new Set(reveal ? [] : more.filter(isSecretField));
    for (const name of [...this.names, ...PLACED_FIELDS])
      if (name.length < LONGEST_FIELD_NAME)
        this.#interest[(name.charCodeAt(0) | 0x20) * LONGEST_FIELD_NAME + name.length] = 1;
  }

  /** False for most fields that nobody asks for. `first` is the name's first byte. */
  mayHold(first: number, length: number): boolean {
    return length < LONGEST_FIELD_NAME && this.#interest[(first | 0x20) * LONGEST_FIELD_NAME + length] === 1;
  }
}
