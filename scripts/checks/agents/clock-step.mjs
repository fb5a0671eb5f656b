// Loaded before a program (`node --import`): so many ms after its start, its clock goes so many ms back. Kernel clocks
// cannot be set for one program, so packets keep their times; this is the clock that JavaScript reads.

import { performance } from 'node:perf_hooks';

const [AFTER_MS, BACK_MS] = process.env.CHECK_CLOCK_STEP.split(',').map(Number);
const OwnDate = Date;
const shift = () => (performance.now() > AFTER_MS ? -BACK_MS : 0);

globalThis.Date = class extends OwnDate {
  constructor(...values) {
    super(...(values.length === 0 ? [OwnDate.now() + shift()] : values));
  }

  static now() {
    return OwnDate.now() + shift();
  }
};
