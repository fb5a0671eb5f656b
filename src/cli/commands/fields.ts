import { type FieldEntry, fieldEntries, fieldsDocument } from '../../filter/fields-doc.ts';
import { EXIT, UserError } from '../../model/errors.ts';
import type { Style } from '../../report/style.ts';
import { pad, sanitise, wrap } from '../../report/terminal-text.ts';
import { renderTable } from '../../report/text-table.ts';
import { finishOutput, StreamOutput } from '../stream-output.ts';
import { type ColorChoice, chooseStyle, chooseWidth, terminalFacts } from '../terminal.ts';

/** Options of `wirelens fields` as the command line gives them. */
export interface FieldsFlags {
  readonly format: 'table' | 'json' | 'markdown';
  readonly color: ColorChoice;
  readonly debug?: boolean;
}

/** Lists the fields of the filter language. @returns the exit code */
export async function fields(word: string | undefined, flags: FieldsFlags): Promise<number> {
  const entries = fieldEntries().filter((entry) => word === undefined || isAbout(entry, word.toLowerCase()));
  if (entries.length === 0) {
    throw new UserError('no-field', `no field has ${word} in its name, type or meaning`, {
      hint: 'wirelens fields lists all',
      exitCode: EXIT.usage,
    });
  }
  if (word !== undefined && flags.format === 'markdown') {
    throw new UserError('usage', 'the page is written whole', {
      hint: `leave ${sanitise(word)} away`,
      exitCode: EXIT.usage,
    });
  }
  const output = new StreamOutput(process.stdout);
  output.write(FORMATS[flags.format](entries, flags));
  await finishOutput(output);
  return EXIT.fine;
}

function isAbout({ name, typeName, about, words }: FieldEntry, word: string): boolean {
  return `${name}\n${typeName}\n${about}\n${words?.join('\n') ?? ''}`.toLowerCase().includes(word);
}

const FORMATS: Readonly<
  Record<FieldsFlags['format'], (entries: readonly FieldEntry[], flags: FieldsFlags) => string>
> = {
  json: (entries) => entries.map((entry) => `${JSON.stringify(jsonOf(entry))}\n`).join(''),
  markdown: () => fieldsDocument(),
  table(entries, { color }) {
    const terminal = terminalFacts();
    return fieldLines(entries, chooseWidth(terminal, Number.POSITIVE_INFINITY), chooseStyle(color, terminal))
      .map((line) => `${line}\n`)
      .join('');
  },
};

function jsonOf({ name, typeName, units, about, words, example, groupable }: FieldEntry): object {
  const written = units === '' ? null : units;
  return { name, type: typeName, units: written, meaning: about, values: words, groupable, example };
}

const COLUMNS = [
  { title: 'field' },
  { title: 'type' },
  { title: 'written with' },
  { title: 'meaning' },
  { title: 'example' },
];
const GAP = 2;
/** Narrower meanings are hard to read. */
const LEAST_MEANING = 30;

/** One line per field where there is room; otherwise the meaning is broken into lines, the example below it. */
export function fieldLines(entries: readonly FieldEntry[], width: number, style: Style): string[] {
  const rows = entries.map(({ name, typeName, units, about, example }) => [
    { text: name, paint: style.bold },
    typeName,
    units,
    about,
    { text: example, paint: style.cyan },
  ]);
  const table = renderTable(COLUMNS, rows, Number.POSITIVE_INFINITY, style, '');
  const natural = COLUMNS.map(({ title }, column) =>
    Math.max(
      title.length,
      ...rows.map((row) => {
        const cell = row[column];
        return typeof cell === 'string' ? cell.length : (cell?.text.length ?? 0);
      }),
    ),
  );
  if (natural.reduce((sum, cells) => sum + cells + GAP, -GAP) <= width) return table;
  const names = natural[0] as number;
  const types = natural[1] as number;
  const indent = names + types + 2 * GAP;
  const room = Math.max(LEAST_MEANING, width - indent);
  const lines = [style.dim(`${pad('field', names + GAP)}${pad('type', types + GAP)}meaning, example`)];
  for (const { name, typeName, about, example } of entries) {
    const [first, ...more] = wrap(about, room);
    lines.push(
      `${style.bold(name)}${' '.repeat(names - name.length + GAP)}${pad(typeName, types + GAP)}${first}`,
    );
    for (const line of more) lines.push(' '.repeat(indent) + line);
    const place = indent + example.length <= width ? indent : names + GAP;
    lines.push(' '.repeat(place) + style.cyan(example));
  }
  return lines;
}
