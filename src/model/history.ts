/**
 * Letters of a connection's history, after Zeek's conn.log: upper case from the client, lower case from the
 * server. Each bit stands for one letter; see Connection.history.
 */
export const HISTORY = {
  syn: 1,
  synAck: 2,
  ack: 4,
  data: 8,
  fin: 16,
  rst: 32,
  gap: 64,
  retransmission: 128,
  closedWindow: 256,
  oddFlags: 512,
} as const;

const LETTERS = 'SHADFRGTWQ';

/** The letters of `bits`, in the order above. */
export function historyLetters(bits: number, fromClient: boolean): string {
  let letters = '';
  for (let index = 0; index < LETTERS.length; index += 1)
    if ((bits & (1 << index)) !== 0) letters += LETTERS[index];
  return fromClient ? letters : letters.toLowerCase();
}

/** The same history when client and server turn out to be the other way round; `^` says so. */
export function turnedHistory(history: string): string {
  const turned = history.replace(/[a-z]/gi, (letter) =>
    letter < 'a' ? letter.toLowerCase() : letter.toUpperCase(),
  );
  return turned.endsWith('^') ? turned.slice(0, -1) : `${turned}^`;
}
