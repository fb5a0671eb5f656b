import type { FieldRedactor } from './field-rules.ts';
import type { HeadFacts } from './heads.ts';
import { BODY_FILLER, maskJson } from './json-body.ts';
import type { RedactionRules } from './rules.ts';
import type { TargetRedactor } from './targets.ts';

/** How much of a body's structure may stay. */
export type BodyKind = 'json' | 'form' | 'multipart' | 'other';

const JSON_TYPE =
  /^application\/(?:[a-z0-9.-]+\+)?(?:json|x-ndjson|ndjson|json-seq|problem\+json|jsonlines)\b|^text\/json\b/i;

/** What kind of body a head announces. */
export function bodyKind({ contentType, encoded }: HeadFacts, rules: RedactionRules): BodyKind {
  if (encoded || rules.choices.scrubBodies) return 'other';
  if (JSON_TYPE.test(contentType)) return 'json';
  if (/^application\/x-www-form-urlencoded\b/i.test(contentType)) return 'form';
  if (/^multipart\//i.test(contentType) && boundaryOf(contentType) !== '') return 'multipart';
  return 'other';
}

/** Redacts bodies whose structure may stay, at equal length. */
export class BodyRedactor {
  readonly #rules: RedactionRules;
  readonly #targets: TargetRedactor;
  readonly #fields: FieldRedactor;

  constructor(rules: RedactionRules, targets: TargetRedactor, fields: FieldRedactor) {
    this.#rules = rules;
    this.#targets = targets;
    this.#fields = fields;
  }

  /** `text`: the body's bytes, chunk framing taken off, from its beginning as far as they are known. */
  body(text: string, kind: BodyKind, contentType: string): string {
    switch (kind) {
      case 'json':
        return maskJson(text, this.#rules);
      case 'form':
        return /^[\x21-\x7e\r\n]*$/.test(text) ? this.#form(text) : filler(text.length);
      case 'multipart':
        return this.#multipart(text, boundaryOf(contentType));
      default:
        return filler(text.length);
    }
  }

  #form(text: string): string {
    return text.replace(/[^\r\n]+/g, (line) => this.#targets.parameters(line, 'form fields'));
  }

  /** Boundary lines and the heads of parts (RFC 2046 §5.1) keep their shape; contents are filler. */
  #multipart(text: string, boundary: string): string {
    const delimiter = `--${boundary}`;
    const shown = `--${this.#rules.mask(boundary)}`;
    const parts: string[] = [];
    let inHead = false;
    for (const whole of text.match(/[^\n]*\n|[^\n]+/g) ?? []) {
      const line = whole.replace(/[\r\n]+$/, '');
      const ending = whole.slice(line.length);
      if (line === delimiter || line === `${delimiter}--`) {
        inHead = line === delimiter;
        parts.push(`${shown}${line.slice(delimiter.length)}${ending}`);
      } else if (inHead && line === '') {
        inHead = false;
        parts.push(ending);
      } else if (inHead) parts.push(`${this.#partField(line)}${ending}`);
      else {
        // The line end before a boundary belongs to it, the others to the content.
        parts.push(`${filler(line.length)}${ending}`);
      }
    }
    this.#rules.replaced.add('multipart bodies');
    return parts.join('');
  }

  #partField(line: string): string {
    const colon = line.indexOf(':');
    const name = colon < 0 ? '' : line.slice(0, colon);
    if (name === '') return filler(line.length);
    const value = line.slice(colon + 1);
    if (!/^content-disposition$/i.test(name)) return this.#otherPartField(name, value);
    const shown = value.replace(/[^;]+/g, (part) => {
      const equals = part.indexOf('=');
      if (equals < 0) return this.#rules.words(part);
      const isName = part.slice(0, equals).trim().toLowerCase() === 'name';
      const content = part
        .slice(equals + 1)
        .replace(/[^\s"]+/g, (piece) => (isName ? this.#rules.name(piece) : this.#rules.mask(piece)));
      return `${this.#rules.words(part.slice(0, equals))}=${content}`;
    });
    return `${name}:${shown}`;
  }

  #otherPartField(name: string, value: string): string {
    const start = value.length - value.trimStart().length;
    const trimmed = value.trim();
    const masked = this.#fields.value(name.toLowerCase(), trimmed);
    return `${this.#rules.name(name)}:${value.slice(0, start)}${masked}${value.slice(start + trimmed.length)}`;
  }
}

export function filler(length: number): string {
  return BODY_FILLER.repeat(length);
}

function boundaryOf(contentType: string): string {
  const found = /;\s{0,8}boundary=(?:"([^"]{1,70})"|([^\s;,"]{1,70}))/i.exec(contentType);
  return found?.[1] ?? found?.[2] ?? '';
}
