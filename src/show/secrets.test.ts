import { describe, expect, it } from 'vitest';
import { redactTarget } from '../match/redact-target.ts';
import { readHead } from './head.ts';
import { createMasking, maskedForm, maskedText } from './secrets.ts';

const masking = createMasking(false, redactTarget);

describe('masking', () => {
  it.each([
    ['Authorization', 'Basic aHVudGVyMg==', 'Basic REDACTED'],
    ['authorization', 'hunter2', 'REDACTED'],
    ['Proxy-Authorization', 'Bearer hunter2', 'Bearer REDACTED'],
    ['Cookie', 'a=hunter2; b=hunter2', 'a=REDACTED; b=REDACTED'],
    ['Set-Cookie', 'sid=hunter2; Path=/; HttpOnly', 'sid=REDACTED; Path=/; HttpOnly'],
    ['X-Api-Key', 'hunter2', 'REDACTED'],
    ['X-Amz-Security-Token', 'hunter2', 'REDACTED'],
    ['X-Client-Secret', 'hunter2', 'REDACTED'],
    ['Referer', 'http://h/?token=hunter2&q=1', 'http://h/?token=REDACTED&q=1'],
    ['Location', 'http://ada:hunter2@h/', 'http://REDACTED@h/'],
    ['Accept', '*/*', '*/*'],
    ['Sec-WebSocket-Key', 'dGhl', 'dGhl'],
  ])('%s: %s', (name, value, shown) => {
    expect(masking.header(name, value)).toBe(shown);
  });

  it('leaves everything with --reveal', () => {
    expect(createMasking(true, redactTarget).header('Cookie', 'a=b')).toBe('a=b');
  });

  it('masks forms, parts of forms, and what looks like a secret in any text', () => {
    expect(maskedForm('user=ada&pass%77ord=hunter2&q=a%20b')).toBe('user=ada&pass%77ord=REDACTED&q=a%20b');
    const part = '--x\r\nContent-Disposition: form-data; name="password"\r\n\r\nhunter2\r\n--x--';
    for (const text of [part, '"password" : "hunter2"', 'api_key=hunter2', '<password>hunter2</password>'])
      expect(maskedText(text)).not.toContain('hunter2');
    expect(maskedText('colour=blue "name":"Ada"')).toBe('colour=blue "name":"Ada"');
  });
});

describe('readHead', () => {
  const head = (text: string) => readHead(Buffer.from(text, 'latin1'), text.length, masking);

  it('gives every line as sent, secrets masked', () => {
    const { startLine, fields } = head(
      'GET /a?token=hunter2&b=%20c HTTP/1.1\r\nHost:  h \r\nCookie: a=hunter2\r\nX-Odd : 1\r\nno colon\r\nX-Fold: a\r\n  b\r\n\r\n',
    );
    expect(startLine).toBe('GET /a?token=REDACTED&b=%20c HTTP/1.1');
    expect(fields.map(({ line }) => line)).toEqual([
      'Host:  h ',
      'Cookie: a=REDACTED',
      'X-Odd : 1',
      'no colon',
      'X-Fold: a\n  b',
    ]);
    expect(fields.map(({ name, value }) => [name, value])).toEqual([
      ['Host', 'h'],
      ['Cookie', 'a=REDACTED'],
      ['X-Odd', '1'],
      [null, ''],
      ['X-Fold', 'a b'],
    ]);
  });

  it('takes bytes that are no UTF-8 for characters', () => {
    const { fields } = head('GET / HTTP/1.1\r\nX: \xe4\xff\r\n\r\n');
    expect(fields[0]).toMatchObject({ value: 'äÿ', isUtf8: false });
  });

  it('masks a credential that is folded over two lines', () => {
    const { fields } = head('GET / HTTP/1.1\r\nAuthorization: Basic\r\n hunter2\r\n\r\n');
    expect(fields[0].line).not.toContain('hunter2');
  });
});
