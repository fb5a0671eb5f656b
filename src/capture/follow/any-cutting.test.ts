import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { pcapFile, pcapngFile } from '../../../fixtures/build/capture-file.ts';
import { FakeFiles } from '../../../test/fake-files.ts';
import { follow, packets } from '../../../test/follow-run.ts';

describe('any cutting', () => {
  const marks = Array.from({ length: 12 }, (_, index) => index + 1);

  /** Ring, or numbered files; writes cut anywhere inside a file, or several at once; a file begins after its predecessor ended. */
  it('of a capture into files and writes gives the same packets', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 11 }), { maxLength: 4 }),
        fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 8 }),
        fc.array(fc.nat(3), { minLength: 1, maxLength: 8 }),
        fc.constantFrom('numbered', 'ring', 'pcapng'),
        fc.integer({ min: 1, max: 300 }),
        async (rotations, sizes, pauses, kind, blockBytes) => {
          const bounds = [0, ...new Set(rotations.sort((a, b) => a - b)), marks.length];
          const files = new FakeFiles();
          let turn = 0;
          for (let index = 0; index + 1 < bounds.length; index++) {
            const part = packets(...marks.slice(bounds[index], bounds[index + 1]));
            const bytes = kind === 'pcapng' ? pcapngFile(part) : pcapFile(part);
            const path = kind === 'ring' ? `t${index % 2}` : `t${index}`;
            if (kind === 'ring' && index >= 2) {
              // A ring is read as long as the reader comes by once a lap.
              files.script(
                () => {},
                () => files.overwrite(path, new Uint8Array(0)),
              );
            }
            for (let at = 0; at < bytes.length; turn++) {
              const size = sizes[turn % sizes.length] as number;
              const piece = bytes.subarray(at, at + size);
              files.script(() => files.append(path, piece));
              for (let pause = pauses[turn % pauses.length] as number; pause > 0; pause--)
                files.script(() => {});
              at += size;
            }
          }
          const { marks: seen, source } = await follow(files, ['t?'], { blockBytes });
          expect(files.stepsLeft).toBe(0);
          expect(seen).toEqual(marks);
          expect(source.report).toMatchObject({ vanished: 0, damaged: 0, late: 0, unfinished: 0 });
          expect(source.report.files).toBe(bounds.length - 1);
        },
      ),
      { numRuns: 150 },
    );
  });
});
