/** Reads a log of Zeek's ASCII writer by what its own header lines say. Throws where the format is not kept. */

export interface ZeekLogRead {
  readonly path: string;
  readonly fields: readonly string[];
  readonly types: readonly string[];
  /** By field; null: unset. Sets and vectors are arrays. */
  readonly rows: Record<string, string | string[] | null>[];
}

export function readZeekLog(text: string): ZeekLogRead {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const lines = text.slice(0, -1).split('\n');
  if (lines[0] !== '#separator \\x09') throw new Error(`no separator: ${lines[0]}`);
  const order = ['set_separator', 'empty_field', 'unset_field', 'path', 'open', 'fields', 'types'];
  const meta: Record<string, string[]> = {};
  order.forEach((key, index) => {
    const [name, ...values] = lines[index + 1].split('\t');
    if (name !== `#${key}`) throw new Error(`#${key} expected: ${lines[index + 1]}`);
    meta[key] = values;
  });
  const close = lines[lines.length - 1];
  for (const time of [meta.open[0], /^#close\t(.*)$/.exec(close)?.[1] ?? ''])
    if (!/^\d{4}(-\d\d){5}$/.test(time)) throw new Error(`not a time: ${time}`);
  const { fields, types } = meta;
  const [[unset], [empty], [between]] = [meta.unset_field, meta.empty_field, meta.set_separator];
  const rows = lines.slice(order.length + 1, -1).map((line) => {
    const cells = line.split('\t');
    if (line.startsWith('#') || cells.length !== fields.length) throw new Error(`not a row: ${line}`);
    const one = (cell: string): string => (cell === empty ? '' : unescaped(cell));
    return Object.fromEntries(
      cells.map((cell, index) => {
        if (cell === unset) return [fields[index], null];
        if (!/^(set|vector)\[/.test(types[index])) return [fields[index], one(cell)];
        return [fields[index], cell === empty ? [] : cell.split(between).map(one)];
      }),
    );
  });
  return { path: meta.path[0], fields, types, rows };
}

/** `\x09` and `\\` back to the bytes they stand for. */
function unescaped(cell: string): string {
  const bytes: Buffer[] = [];
  for (const [piece] of cell.matchAll(/\\x[0-9a-f]{2}|\\\\|[^\\]+/g)) {
    if (piece === '\\\\') bytes.push(Buffer.from('\\'));
    else if (piece.startsWith('\\x')) bytes.push(Buffer.from(piece.slice(2), 'hex'));
    else bytes.push(Buffer.from(piece));
  }
  return Buffer.concat(bytes).toString('utf8');
}
