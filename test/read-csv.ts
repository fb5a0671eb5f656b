/** Reads RFC 4180 strictly: throws where a quote stands wrong or a line does not end in CR LF. */
export function readCsv(text: string): string[][] {
  const records: string[][] = [];
  let at = 0;
  while (at < text.length) {
    const record: string[] = [];
    for (;;) {
      const [field, end] = text[at] === '"' ? quoted(text, at) : plain(text, at);
      record.push(field);
      at = end;
      if (text[at] !== ',') break;
      at += 1;
    }
    if (text.slice(at, at + 2) !== '\r\n') throw new Error(`no line end at ${at}`);
    at += 2;
    records.push(record);
  }
  return records;
}

function plain(text: string, start: number): [string, number] {
  let end = start;
  while (end < text.length && !/[,\r\n]/.test(text[end])) {
    if (text[end] === '"') throw new Error(`a quote in a plain field at ${end}`);
    end += 1;
  }
  return [text.slice(start, end), end];
}

function quoted(text: string, start: number): [string, number] {
  let field = '';
  for (let at = start + 1; at < text.length; at += 1) {
    if (text[at] !== '"') field += text[at];
    else if (text[at + 1] === '"') {
      field += '"';
      at += 1;
    } else return [field, at + 1];
  }
  throw new Error(`a quoted field without end from ${start}`);
}
