import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pcapngFile } from '../fixtures/build/capture-file.ts';
import { repeatableRun } from '../src/cli/capture-run.ts';
import { PcapngWriter } from '../src/export/pcapng-writer.ts';
import type { Exchange } from '../src/model/exchange.ts';
import { LIMITS, type Limits } from '../src/model/limits.ts';
import { type CaptureRedaction, redactCapture } from '../src/redact/capture-redaction.ts';
import { RedactionKey } from '../src/redact/key.ts';
import { REDACTION_LIMITS, type RedactionLimits } from '../src/redact/redact-limits.ts';
import { DEFAULT_CHOICES, type RedactionChoices, RedactionRules } from '../src/redact/rules.ts';
import type { FedPacket } from './pipeline-run.ts';

export interface RedactedCapture {
  /** The copy, a pcapng file. */
  readonly bytes: Uint8Array;
  readonly result: CaptureRedaction;
  readonly rules: RedactionRules;
  readonly before: readonly Exchange[];
  readonly after: readonly Exchange[];
}

export interface RedactRunChoices {
  readonly key?: string;
  readonly choices?: Partial<RedactionChoices>;
  readonly limits?: Partial<RedactionLimits>;
  readonly readLimits?: Partial<Limits>;
}

/** Redacts captures given by their contents, and reads the copy as any other capture. */
export async function redactFiles(
  contents: readonly Uint8Array[],
  { key = 'test key', choices = {}, limits = {}, readLimits = {} }: RedactRunChoices = {},
): Promise<RedactedCapture> {
  const directory = mkdtempSync(join(tmpdir(), 'wirelens-redact-'));
  try {
    const paths = contents.map((content, index) => {
      const path = join(directory, `capture-${index}`);
      writeFileSync(path, content);
      return path;
    });
    const all = { ...LIMITS, ...readLimits };
    const rules = new RedactionRules(new RedactionKey(Buffer.from(key)), { ...DEFAULT_CHOICES, ...choices });
    const parts: Uint8Array[] = [];
    const writerOf = (): PcapngWriter =>
      new PcapngWriter((chunk) => parts.push(chunk), { application: 'wirelens test' });
    const result = await redactCapture(repeatableRun(paths, { limits: all }).run, writerOf, rules, {
      ...REDACTION_LIMITS,
      ...limits,
    });
    const copy = join(directory, 'copy');
    writeFileSync(copy, Buffer.concat(parts));
    const exchangesOf = async (files: readonly string[]): Promise<Exchange[]> => {
      const exchanges: Exchange[] = [];
      await repeatableRun(files, { limits: all }).run({ onExchange: (exchange) => exchanges.push(exchange) });
      return exchanges;
    };
    return {
      bytes: readFileSync(copy),
      result,
      rules,
      before: await exchangesOf(paths),
      after: await exchangesOf([copy]),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** A pcapng file of packets of any link types; each type, and each interface number, is an interface. */
export function captureOf(packets: readonly FedPacket[]): Uint8Array {
  const interfaces: { linkType: number; resolution: number; number: number }[] = [];
  const recorded = packets.map(({ frame, timeNs, originalBytes, linkType = 1, interfaceNumber = 0 }) => {
    let interfaceId = interfaces.findIndex(
      (one) => one.linkType === linkType && one.number === interfaceNumber,
    );
    if (interfaceId < 0)
      interfaceId = interfaces.push({ linkType, resolution: 9, number: interfaceNumber }) - 1;
    return { frame, timeNs, interfaceId, ...(originalBytes === undefined ? {} : { originalBytes }) };
  });
  return pcapngFile(recorded, interfaces.length === 0 ? {} : { interfaces });
}
