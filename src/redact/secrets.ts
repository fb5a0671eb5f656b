/** Fewer characters are no secret that can be looked for. */
const SHORTEST_SECRET = 6;
/** Longer secrets are looked for by their beginning. */
const LONGEST_SECRET = 256;
/** Secrets looked for in kept text; further ones are masked where they stand, and counted. */
const SECRETS = 20_000;

/**
 * Every value that stood in a secret place, in the forms in which it may come back: as it is, percent-encoded,
 * base64 in its three alignments, base64url, hexadecimal, escaped for JSON, turned round. Text that would stay is
 * looked through for them.
 */
export class SecretBook {
  readonly #secrets = new Set<string>();
  /** Forms by their first characters, in lower case. */
  readonly #forms = new Map<string, string[]>();
  /** Secrets beyond the limit. */
  overflow = 0;

  /** Secrets known. */
  get size(): number {
    return this.#secrets.size;
  }

  /** Notes a value from a secret place. */
  note(value: string): void {
    if (value.length < SHORTEST_SECRET) return;
    const secret = value.slice(0, LONGEST_SECRET);
    if (this.#secrets.has(secret)) return;
    if (this.#secrets.size >= SECRETS) {
      this.overflow += 1;
      return;
    }
    this.#secrets.add(secret);
    for (const form of formsOf(secret)) this.#addForm(form.toLowerCase());
    const decoded = percentDecoded(secret);
    if (decoded !== secret) this.note(decoded);
  }

  /** True when `text`, which would stay, holds a secret in one of its forms. Letters of either case count as equal. */
  appearsIn(text: string): boolean {
    if (text.length < SHORTEST_SECRET || this.#forms.size === 0) return false;
    const lower = text.toLowerCase();
    for (let at = 0; at + SHORTEST_SECRET <= lower.length; at += 1) {
      const forms = this.#forms.get(lower.slice(at, at + SHORTEST_SECRET));
      if (forms?.some((form) => lower.startsWith(form, at)) === true) return true;
    }
    return false;
  }

  #addForm(form: string): void {
    if (form.length < SHORTEST_SECRET) return;
    const start = form.slice(0, SHORTEST_SECRET);
    const forms = this.#forms.get(start);
    if (forms === undefined) this.#forms.set(start, [form]);
    else if (!forms.includes(form)) forms.push(form);
  }
}

function percentDecoded(text: string): string {
  return text.replace(/%([0-9a-f]{2})/gi, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  );
}

/** The forms of a secret of bytes. */
function formsOf(secret: string): Set<string> {
  const bytes = Buffer.from(secret, 'latin1');
  const forms = new Set<string>([secret, [...secret].reverse().join(''), bytes.toString('hex')]);
  forms.add([...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join(''));
  forms.add(secret.replace(/[^A-Za-z0-9._~-]/g, (character) => encodeURIComponent(character)));
  forms.add(JSON.stringify(secret).slice(1, -1));
  for (let before = 0; before < 3; before += 1) {
    // Only the characters that no neighbour has a part in.
    const text = Buffer.concat([Buffer.alloc(before), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const first = before === 0 ? 0 : before + 1;
    const last = (before + bytes.length) % 3 === 0 ? text.length : text.length - 1;
    const form = text.slice(first, last);
    forms.add(form);
    forms.add(form.replaceAll('+', '-').replaceAll('/', '_'));
  }
  return forms;
}
