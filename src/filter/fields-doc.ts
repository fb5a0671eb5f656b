import { type FieldType, TYPE_NAMES, UNIT_NAMES } from './field.ts';
import { FIELDS, HEADER_FAMILIES } from './fields.ts';

/** A field as help and reference show it. */
export interface FieldEntry {
  readonly name: string;
  readonly type: FieldType;
  /** `duration`, `list of words`. */
  readonly typeName: string;
  /** What values are written with: `ns us ms s min h`; empty: nothing. */
  readonly units: string;
  readonly about: string;
  /** Closed list of its values; null: any. */
  readonly words: readonly string[] | null;
  readonly example: string;
  readonly groupable: boolean;
}

const typeName = (type: FieldType): string =>
  type === 'numbers' || type === 'words' || type === 'texts'
    ? `list of ${TYPE_NAMES[type]}`
    : TYPE_NAMES[type];

/** Everything that an expression can ask for, in the order of the reference. */
export function fieldEntries(): readonly FieldEntry[] {
  const families = HEADER_FAMILIES.map((family) => ({ ...family, words: null, groupable: true }));
  return [...FIELDS, ...families].map(({ name, type, about, words, example, groupable }) => ({
    name,
    type,
    typeName: typeName(type),
    units: UNIT_NAMES[type],
    about,
    words,
    example,
    groupable,
  }));
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** docs/fields.md, whole. */
export function fieldsDocument(): string {
  const rows = fieldEntries().map(({ name, typeName, units, about, words, example }) => {
    const values =
      words === null || words.length > 20 ? '' : `: ${words.map((word) => `\`${word}\``).join(', ')}`;
    const link = words !== null && words.length > 20 ? ' ([all](anomalies.md))' : '';
    return `| \`${name}\` | ${typeName} | ${units} | ${cell(about)}${values}${link} | \`${cell(example)}\` |`;
  });
  return `# Fields

<!-- Made by \`npm run docs\` from src/filter/fields.ts; do not edit. -->

What expressions can ask for, as \`wirelens fields\` lists it; [the language](filter.md) is described on a page of its own.
Durations are written with their unit, sizes may be, and a condition on a list holds when it holds for any of its values.

| Field | Type | Written with | Meaning | Example |
|---|---|---|---|---|
${rows.join('\n')}
`;
}
