import fc from 'fast-check';
import { TEST_LIMIT_MS } from './test-limits.ts';

// A property that fails slowly may be shrunk for longer than its test may take, and would be ended without a word of the
// seed and the counterexample. It ends itself before that and tells them; one that is not through by then has failed.
fc.configureGlobal({ interruptAfterTimeLimit: 0.8 * TEST_LIMIT_MS, markInterruptAsFailure: true });
