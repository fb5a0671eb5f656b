import { it } from "vitest"; it("probe", () => {});
import { conversation } from '../fixtures/build/conversation.ts';
import { runSegments, inOrder, inShort } from './pipeline-run.ts';
import { answeredTarget } from './traffic.ts';

type Shape = { batches: number[]; reqJoined: boolean; resp: 'joined'|'separate'|'split'; acks: boolean; fin: 'both'|'none'; };
function build(s: Shape) {
  const c = conversation().handshake(); let n = 0; const names: string[] = ['SYN','SYNACK','ACK'];
  for (const size of s.batches) {
    const ids = Array.from({length:size},()=>++n);
    const reqs = ids.map(i=>`GET /${i} HTTP/1.1\r\nHost: h\r\n\r\n`);
    if (s.reqJoined) { c.fromClient(reqs.join('')); names.push('Q'+ids.join('')); } else reqs.forEach((r,i)=>{c.fromClient(r);names.push('Q'+ids[i]);});
    if (s.acks) { c.ack('server'); names.push('sACK'); }
    const res = ids.map(i=>`HTTP/1.1 200 R${i}\r\nX-Request-Id: /${i}\r\nContent-Length: 5\r\n\r\nbody${i}`);
    if (s.resp==='joined') { c.fromServer(res.join('')); names.push('A'+ids.join('')); }
    else if (s.resp==='separate') res.forEach((r,i)=>{c.fromServer(r);names.push('A'+ids[i]);});
    else res.forEach((r,i)=>{c.fromServer(r,{segments:[20]});names.push(`A${ids[i]}a`,`A${ids[i]}b`);});
    if (s.acks) { c.ack('client'); names.push('cACK'); }
  }
  if (s.fin==='both') { c.fin(); names.push('cFIN','sFIN','cACK'); }
  return { segs: c.segments, names, n };
}
const batchLists = [[1,1],[2],[1,1,1],[1,2],[2,1],[3],[2,2],[1,3],[3,1],[1,1,1,1],[1,2,1],[3,3]];
let found = 0; const seen = new Map<string, number>(); let total=0;
for (const losses of [1,2,3]) for (const batches of batchLists) for (const reqJoined of [false,true]) for (const resp of ['separate','joined','split'] as const) for (const acks of [false,true]) for (const fin of ['both','none'] as const) {
  const shape = {batches,reqJoined,resp,acks,fin};
  const { segs, names, n } = build(shape);
  if (losses===3 && segs.length>14) continue;
  const combos: number[][] = [];
  const rec = (start:number, cur:number[]) => { if (cur.length===losses) {combos.push(cur);return;} for (let i=start;i<segs.length;i++) rec(i+1,[...cur,i]); };
  rec(0,[]);
  for (const combo of combos) {
    if (combo.every(i => !/[QA]\d/.test(names[i]!))) continue;
    total++;
    const run = runSegments(segs.filter((_,i)=>!combo.includes(i)));
    const bad = run.exchanges.filter(e => e.request && answeredTarget(e) !== null && answeredTarget(e) !== e.request.target);
    const inv = run.exchanges.filter(e => e.request && !/^\/\d$/.test(e.request.target));
    const im = run.ledger.imbalances();
    if (bad.length || inv.length || im.length) {
      found++;
      const key = JSON.stringify([losses,batches,reqJoined,resp]);
      if (!seen.has(key)) { seen.set(key,1);
        if (seen.size < 40) console.log(JSON.stringify(shape), 'lost', combo.map(i=>names[i]).join(','), 'n',n, '=>', inOrder(run.exchanges).map(e=>`${inShort(e)}[${answeredTarget(e)??'-'}] ${e.pairing}`).join('; '), im.join(' '));
      } else seen.set(key, seen.get(key)!+1);
    }
  }
}
console.log('total', total, 'bad', found, 'shapes', seen.size);
