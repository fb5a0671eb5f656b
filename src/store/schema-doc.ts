import { APPLICATION_ID, type Column, INDEXES, SCHEMA_VERSION, TABLES, type Table } from './schema.ts';
import { VIEWS } from './schema-views.ts';

const cell = (text: string): string => text.replaceAll('|', '\\|');

function columnTable(columns: readonly Pick<Column, 'name' | 'type' | 'about'>[]): string {
  const rows = columns.map(({ name, type, about }) => `| \`${name}\` | ${type} | ${cell(about)} |`);
  return ['| Column | Type | Meaning |', '|---|---|---|', ...rows].join('\n');
}

const tableText = ({ name, about, columns }: Table): string =>
  `### ${name}\n\n${about}\n\n${columnTable(columns)}`;

/** docs/sqlite-schema.md, whole. Made from what the tables are made from. */
export function schemaDocument(): string {
  const views = VIEWS.map(({ name, about, columns }) => {
    const head = `### ${name}\n\n${about}`;
    return columns.length === 0 ? head : `${head}\n\n${columnTable(columns)}`;
  });
  const indexes = INDEXES.map(({ name, on, about }) => `| \`${name}\` | \`${on}\` | ${cell(about)} |`);
  return `# The SQLite file

<!-- Made by \`npm run docs\` from src/store/schema.ts and schema-views.ts; do not edit. -->

Schema version ${SCHEMA_VERSION} (\`PRAGMA user_version\`), \`PRAGMA application_id\` ${APPLICATION_ID}. The same sentences are comments
in the tables themselves: \`.schema\` in the sqlite3 command shows them.

Times are Unix time in µs (INTEGER) with the nanoseconds beyond in a column of their own, so nanosecond captures
stay exact; durations are milliseconds (REAL). Texts are UTF-8: half of a surrogate pair, which UTF-8 cannot hold,
is stored as U+FFFD. NUL bytes are kept; SQLite's own \`length()\` stops at them.

Above the limit of one file (512 MiB in memory) the run goes on in \`NAME-2.sqlite\`, \`NAME-3.sqlite\` … Each part has the
connections that its exchanges refer to (a connection that goes on is in both, its final totals in the later one);
captures and ledger are in the last part; \`meta\` says which part it is and whether more follow.

Every command that takes captures also takes these files in their place, and prints the same: all but the packets
themselves is in them. The parts of a run are put together: name the first, the others are found beside it. Files of
several runs are read one after the other as if they were one; numbers of exchanges, connections, captures and interfaces
go on counting, and ledgers are added up. Header fields that were not kept (\`meta\`, \`kept_headers\`) cannot be asked
for: analyse the capture again with \`--keep-header NAME\`. So it is with files of an earlier schema version, which only
\`wirelens sql\` still reads.

## Views to query

${views.join('\n\n')}

## Tables to query

${TABLES.filter(({ use }) => use === 'public')
  .map(tableText)
  .join('\n\n')}

## Storage behind the views

Repeated texts are stored once and referred to by number: the file is a third of the size, and is written in half the time.

${TABLES.filter(({ use }) => use === 'storage')
  .map(tableText)
  .join('\n\n')}

## Indexes

| Index | On | For |
|---|---|---|
${indexes.join('\n')}
`;
}
