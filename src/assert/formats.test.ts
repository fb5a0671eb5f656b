import { describe, expect, it } from 'vitest';
import { buildCapture, buildExchange, buildRequest, buildRun } from '../../test/build-exchange.ts';
import { ANSI_STYLE, NO_STYLE } from '../report/style.ts';
import { assertJson } from './assert-json.ts';
import { assertJunit, xmlText } from './assert-junit.ts';
import { AssertSink } from './assert-sink.ts';
import { assertTap } from './assert-tap.ts';
import { assertText } from './assert-text.ts';
import { ASSERT_LIMITS } from './limits.ts';
import type { RuleResult } from './result.ts';
import { parseRules } from './rules-file.ts';

const HOSTILE = '/x\u0000\u0008\u001b[31m]]>&<"\'\uffff\ud800\u202e\n...\n';

const RULES = `version: 1
rules:
  - name: nothing fails
    none: error
  - name: "hostile # <name> & \\\\ ]]> \\u0007"
    none: path startsWith "/x"
  - name: soft
    severity: warning
    none: method == "GET"
  - name: by route
    by: target
    expect: max(total) < 1ms
`;

async function results(): Promise<readonly RuleResult[]> {
  const sink = new AssertSink(parseRules(RULES, 'r.yaml', ASSERT_LIMITS), { epochSeconds: 0 }, ASSERT_LIMITS);
  sink.exchange(buildExchange({ id: 7, request: buildRequest({ target: HOSTILE }) }));
  await sink.finish(buildRun({ captures: [buildCapture()] }));
  return sink.results;
}

interface Element {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: Element[];
  text: string;
}

/** A strict reader of the little XML that the format needs; throws for anything that is not well-formed. */
function readXml(xml: string): Element {
  const declaration = '<?xml version="1.0" encoding="UTF-8"?>\n';
  if (!xml.startsWith(declaration)) throw new Error('no declaration');
  if (/[^\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]/u.test(xml))
    throw new Error('forbidden character');
  const unescaped = (text: string): string => {
    if (/[<>]|&(?!(?:amp|lt|gt|quot|apos|#\d+);)/.test(text)) throw new Error(`not escaped: ${text}`);
    const names: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
    return text.replace(
      /&(#?\w+);/g,
      (_, name: string) => names[name] ?? String.fromCodePoint(Number(name.slice(1))),
    );
  };
  const top: Element = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  const TAG = /<(\/?)([a-z-]+)((?: [a-z]+="[^"<]*")*)(\/?)>/y;
  let at = declaration.length;
  while (at < xml.length) {
    const current = open[open.length - 1];
    if (xml[at] !== '<') {
      const end = xml.indexOf('<', at) < 0 ? xml.length : xml.indexOf('<', at);
      current.text += unescaped(xml.slice(at, end));
      at = end;
      continue;
    }
    TAG.lastIndex = at;
    const tag = TAG.exec(xml);
    if (tag === null) throw new Error(`not a tag: ${xml.slice(at, at + 60)}`);
    at = TAG.lastIndex;
    const [, closing, name, attributes, empty] = tag;
    if (closing === '/') {
      if (open.pop()?.name !== name) throw new Error(`</${name}> closes another element`);
      continue;
    }
    const pairs = [...attributes.matchAll(/ ([a-z]+)="([^"]*)"/g)].map(([, key, value]) => [
      key,
      unescaped(value),
    ]);
    const element: Element = { name, attributes: Object.fromEntries(pairs), children: [], text: '' };
    current.children.push(element);
    if (empty !== '/') open.push(element);
  }
  if (open.length !== 1 || top.children.length !== 1) throw new Error('elements left open');
  return top.children[0];
}

interface TestPoint {
  readonly ok: boolean;
  readonly number: number;
  readonly description: string;
  readonly directive: string | null;
  readonly yaml: string[];
}

/** Reads TAP 14 as its specification describes the lines; throws for any other line. */
function readTap(text: string): TestPoint[] {
  const lines = text.split('\n');
  if (lines.shift() !== 'TAP version 14') throw new Error('no version');
  const plan = /^1\.\.(\d+)$/.exec(lines.shift() ?? '');
  if (plan === null || lines.pop() !== '') throw new Error('no plan, or no end of line');
  const points: TestPoint[] = [];
  let inYaml = false;
  for (const line of lines) {
    const last = points[points.length - 1];
    if (inYaml) {
      if (line === '  ...') inYaml = false;
      else if (line.startsWith('  ')) last.yaml.push(line.slice(2));
      else throw new Error(`not indented: ${line}`);
      continue;
    }
    if (line === '  ---') {
      inYaml = true;
      continue;
    }
    const point = /^(not )?ok (\d+) - ((?:[^#\\]|\\[#\\])*?)(?: # (TODO|SKIP)\b.*)?$/.exec(line);
    if (point === null) throw new Error(`not a test point: ${line}`);
    const description = point[3].replace(/\\([#\\])/g, '$1');
    points.push({
      ok: point[1] === undefined,
      number: Number(point[2]),
      description,
      directive: point[4] ?? null,
      yaml: [],
    });
  }
  if (inYaml || points.length !== Number(plan[1])) throw new Error('the plan is not kept');
  return points;
}

describe('JUnit', () => {
  it('is well-formed whatever the traffic holds, and says the same as the results', async () => {
    const suites = readXml(assertJunit(await results(), 'r<&>.yaml', 1.5));
    const [suite] = suites.children;
    expect(suites.attributes).toMatchObject({ tests: '4', failures: '2', errors: '0', skipped: '1' });
    expect(suite.attributes).toMatchObject({ name: 'r<&>.yaml', tests: '4', failures: '2', skipped: '1' });
    const [fine, hostile, soft, grouped] = suite.children;
    expect(fine.attributes).toMatchObject({ name: 'nothing fails', line: '3' });
    expect(fine.children.map(({ name }) => name)).toEqual(['system-out']);
    expect(hostile.attributes.name).toBe('hostile # <name> & \\ ]]> \\x07');
    expect(hostile.children[0].name).toBe('failure');
    expect(hostile.children[0].text).toContain('#7 GET example.org/x\\x00\\x08\\x1b[31m]]>&<"\'');
    expect(soft.children[0]).toMatchObject({ name: 'skipped' });
    expect(grouped.children[0].attributes.message).toBe('1 of 1 group failed');
  });

  it('shows characters that XML cannot hold', () => {
    expect(xmlText('a\u0000b\ufffe\ud800<&>"\'\n')).toBe(
      'a\\x00b\\u{fffe}\\u{d800}&lt;&amp;&gt;&quot;&apos;&#10;',
    );
    expect(xmlText('grün 😀')).toBe('grün 😀');
  });
});

describe('TAP', () => {
  it('has a plan, points and diagnostics that hostile texts cannot break out of', async () => {
    const points = readTap(assertTap(await results()));
    expect(points.map(({ ok, directive }) => [ok, directive])).toEqual([
      [true, null],
      [false, null],
      [false, 'TODO'],
      [false, null],
    ]);
    expect(points[1].description).toBe('hostile # <name> & \\ ]]> \\x07');
    expect(points[1].yaml[0]).toBe(
      'message: "1 of 1 exchange matches path startsWith \\"/x\\", none should"',
    );
    for (const { yaml } of points)
      for (const line of yaml)
        expect(line).toMatch(/^(?:[a-z]+: (?:"(?:[^"\\]|\\.)*"|\w+)|details:| {2}- "(?:[^"\\]|\\.)*")$/);
  });
});

describe('text', () => {
  it('names what broke a rule so that one can look at it, and cannot be broken out of', async () => {
    const text = assertText(await results(), 1, NO_STYLE);
    expect(text).toContain('✓ nothing fails  none of 1 exchange matches error\n');
    expect(text).toContain('    #7 GET example.org/x\\x00');
    expect(text).toContain('! soft');
    expect(text).toMatch(/\n4 rules on 1 exchange: 1 passed, 2 failed, 1 warning\n$/);
    expect(/[\p{Cc}\p{Cf}\p{Cs}]/u.test(text.replaceAll('\n', ''))).toBe(false);
    expect(assertText(await results(), 1, ANSI_STYLE)).toContain('\x1b[31m✗');
  });
});

describe('JSON', () => {
  it('is one value with everything in it', async () => {
    const json = JSON.parse(
      JSON.stringify(assertJson(await results(), { rulesFile: 'r.yaml', files: ['a.pcap'], exchanges: 1 })),
    );
    expect(json).toMatchObject({ rules: 4, passed: 1, failed: 2, warnings: 1, exchanges: 1 });
    expect(json.results[1].offenders[0].id).toBe(7);
    expect(json.results[3].groups[0].measured).toEqual([
      { measure: 'max(total)', unit: 'ms', value: 11, broken: ['max(total) < 1ms'] },
    ]);
  });
});
