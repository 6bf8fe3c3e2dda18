import { readFileSync, readdirSync, existsSync, writeFileSync } from "node:fs";
import { test } from "vitest";
import { importOnnx } from "./index.ts";
import { readTensor } from "./proto/tensor.ts";
import { staticShapeOf } from "@verticil/relax";
import onnxProto from "onnx-proto";
const R="/work/shared/onnx-conformance/node/";
const cats=Object.fromEntries([...readFileSync("/work/shared/onnx-conformance/categories.json","utf8").matchAll(/"(test_[^"]*)":"([^"]*)"/g)].map(m=>[m[1],m[2]]));
test("c",()=>{ const fails:Record<string,string[]>={}; let ok=0,total=0,core=0,coreok=0;
for(const d of readdirSync(R)){ const cat=cats[d]; if(cat!=="core")continue; total++; 
 const dir=R+d+"/test_data_set_0/"; const bytes=readFileSync(R+d+"/model.onnx");
 const note=(m:string)=>{(fails[m]??=[]).push(d)};
 try{ const proto=onnxProto.onnx.ModelProto.decode(new Uint8Array(bytes)); const constants:any={};
  const inits=new Set(proto.graph!.initializer!.map(t=>t.name));
  const ins=proto.graph!.input!.filter(i=>!inits.has(i.name)); 
  ins.forEach((inp,i)=>{const f=dir+`input_${i}.pb`; if(!existsSync(f))return; if(!inp.type?.tensorType) return; try{const t=readTensor(onnxProto.onnx.TensorProto.decode(new Uint8Array(readFileSync(f)))); constants[inp.name!]=t;}catch(e){}});
  let m; try{ m=importOnnx(bytes)}catch(e:any){ if(!/dynamic-argument|unsupported-form/.test(e.message)) throw e; const c2=Object.fromEntries(Object.entries(constants).filter(([k,t]:any,i)=>t.data.length<=64&&i>0)); try{m=importOnnx(bytes,{constants:c2})}catch(e2:any){ m=importOnnx(bytes,{constants}) }}
  const main:any=[...m.functions.values()][0]; const info=main.retStructInfo; const infos=info.fields??[info];
  let bad="";
  infos.forEach((s:any,i:number)=>{const f=dir+`output_${i}.pb`; if(!existsSync(f))return; const t=readTensor(onnxProto.onnx.TensorProto.decode(new Uint8Array(readFileSync(f)))); const sh=staticShapeOf(s); if(s.dtype!==t.dtype||(sh&&sh.join()!==t.shape.join())||(!sh&&s.ndim>=0&&s.ndim!==t.shape.length)) bad=`${s.dtype}[${sh}] expected ${t.dtype}[${t.shape}]`;});
  if(bad) note("MISMATCH "+bad); else ok++;
 }catch(e:any){note(String(e.message).split("\n")[0].slice(0,170).replace(/`[^`]*` \(/,"("))}
}
console.log("ok",ok,"of",total); const es=Object.entries(fails).sort((a,b)=>b[1].length-a[1].length); writeFileSync("/tmp/conf.txt",es.map(([k,v])=>v.length+" "+k+"  :: "+v.slice(0,6).join(" ")).join("\n"));
},100000);
