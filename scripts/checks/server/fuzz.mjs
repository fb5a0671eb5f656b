// Requests made from the server's OpenAPI document: valid ones and nearly valid ones. The makers of src's tests are used,
// compiled beside the fixtures' programs, so that both say the same.
import fc from 'fast-check';
import { ApiFuzz, send } from './compiled.mjs';

/** Sends `runs` requests for each operation. Problems name the request that shrinking ended with. */
export async function fuzzProblems(server, seed, runs) {
  const document = (await server.ask('GET', '/api/v1/openapi.json')).json;
  const fuzz = new ApiFuzz(document, { agent: server.agentToken, reader: server.readerToken });
  const problems = [];
  let requests = 0;
  for (const name of fuzz.operations) {
    const property = fc.asyncProperty(fuzz.request(name), async (request) => {
      requests++;
      const complaint = fuzz.complaint(request, await send(server.url, request));
      if (complaint !== null) throw new Error(complaint);
    });
    const result = await fc.check(property, { seed, numRuns: runs });
    if (result.failed)
      problems.push(
        `${name}: ${String(result.errorInstance).slice(0, 300)} for ${JSON.stringify(result.counterexample).slice(0, 400)}`,
      );
  }
  return { requests, problems };
}
