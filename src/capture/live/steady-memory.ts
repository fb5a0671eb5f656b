/** mallopt(3): glibc's numbers. */
const M_MMAP_THRESHOLD = -3;
/** Larger pieces of memory go back to the system as soon as they are freed. */
const THRESHOLD_BYTES = 256 * 1024;

/**
 * Asks the C library to give large buffers back at once, for a process that runs for days. glibc otherwise raises this
 * bound to the size of the largest buffer that was ever freed, and puts buffers below it into heaps, one for each
 * thread, that keep the holes between them: measured, 100 MB more after ten minutes of sealing SQLite files. Does
 * nothing where there is no such function (musl, other systems).
 */
export async function steadyMemory(): Promise<void> {
  if (process.platform !== 'linux') return;
  try {
    const { default: koffi } = await import('koffi');
    koffi.load(null).func('int mallopt(int name, int value)')(M_MMAP_THRESHOLD, THRESHOLD_BYTES);
  } catch {
    // Memory then grows to where the holes are large enough.
  }
}
