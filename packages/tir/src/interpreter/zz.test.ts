import { test } from "vitest";
import { zeros, type DType } from "@verticil/runtime-ffi";
import { makeBlock, makeBlockRealize, makeBuffer, makeBufferStore, makeFor, makePrimFunc } from "../ir/make-stmt.ts";
import { makeBufferLoad, makeIterVar, makeRange, makeVar } from "../ir/make-expr.ts";
import { add, constant, mul } from "../ir/ops.ts";
import { compileInterpreter } from "./interpret.ts";
function conv(index: DType) {
  const H=28,W=28,C=16,O=16;
  const c=(n:number)=>constant(n,index);
  const X=makeBuffer("X",[c(H+2),c(W+2),c(C)]),K=makeBuffer("K",[c(3),c(3),c(C),c(O)]),Y=makeBuffer("Y",[c(H),c(W),c(O)]);
  const ps=["x","k","y"].map(n=>makeVar(n,"handle"));
  const ext=[H,W,O,3,3,C]; const ls=ext.map((_,i)=>makeVar("l"+i,index)); const vs=ext.map((_,i)=>makeVar("v"+i,index));
  const [h,w,o,r,s,ic]=vs as any;
  const body=makeBufferStore(Y,add(makeBufferLoad(Y,[h,w,o]),mul(makeBufferLoad(X,[add(h,r),add(w,s),ic]),makeBufferLoad(K,[r,s,ic,o]))),[h,w,o]);
  const blk=makeBlock("Y",vs.map((v,i)=>makeIterVar(makeRange(c(0),c(ext[i]!)),v,i>2?"kCommReduce":"kDataPar")),[],[],body,{init:makeBufferStore(Y,constant(0,"float32"),[h,w,o])});
  let st: any=makeBlockRealize(ls,constant(1,"bool"),blk);
  for(let i=5;i>=0;i--) st=makeFor(ls[i]!,c(0),c(ext[i]!),st);
  const f=makePrimFunc(ps,st,{bufferMap:new Map([[ps[0]!,X],[ps[1]!,K],[ps[2]!,Y]])});
  const run=compileInterpreter(f); const a=[zeros("float32",[H+2,W+2,C]),zeros("float32",[3,3,C,O]),zeros("float32",[H,W,O])];
  for(let k=0;k<4;k++){const t=performance.now(); run(a); console.log(index,((performance.now()-t)*1e6/(H*W*O*9*C)).toFixed(1),"ns/mac");}
}
function ew(){
  const N=1<<20; const c=(n:number)=>constant(n,"int64");
  const X=makeBuffer("X",[c(N)]),Y=makeBuffer("Y",[c(N)]); const ps=["x","y"].map(n=>makeVar(n,"handle")); const l=makeVar("l","int64"),v=makeVar("v","int64");
  const blk=makeBlock("Y",[makeIterVar(makeRange(c(0),c(N)),v,"kDataPar")],[],[],makeBufferStore(Y,mul(makeBufferLoad(X,[v]),constant(0.5,"float32")),[v]));
  const f=makePrimFunc(ps,makeFor(l,c(0),c(N),makeBlockRealize([l],constant(1,"bool"),blk)),{bufferMap:new Map([[ps[0]!,X],[ps[1]!,Y]])});
  const run=compileInterpreter(f); const a=[zeros("float32",[N]),zeros("float32",[N])];
  for(let k=0;k<3;k++){const t=performance.now(); run(a); console.log("ew",((performance.now()-t)*1e6/N).toFixed(1),"ns/el");}
}
test("b",()=>{ ew(); conv("int64"); conv("int32"); });
