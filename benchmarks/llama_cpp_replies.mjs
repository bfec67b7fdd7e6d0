// llama.cpp's greedy replies (chat_gguf.py): NODE_PATH=… node llama_cpp_replies.mjs FILE.gguf MOST THREADS KV < prompts.json > replies.json
// Prompts are texts with the template applied; KV is F16, which is llama.cpp's own choice, or F32.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [file, most, threads, kv] = process.argv.slice(2);
const require = createRequire(process.env.NODE_PATH + "/");
const { getLlama } = await import(pathToFileURL(require.resolve("node-llama-cpp")).href);
const llama = await getLlama({ gpu: false, maxThreads: Number(threads), build: "never", logLevel: "error" });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({
  contextSize: 1024,
  threads: { ideal: Number(threads), min: Number(threads) },
  experimentalKvCacheKeyType: kv,
  experimentalKvCacheValueType: kv,
});

const replies = [];
for (const text of JSON.parse(readFileSync(0, "utf8"))) {
  const sequence = context.getSequence(), prompt = model.tokenize(text, true), ids = [];
  for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
    ids.push(Number(token));
    if (ids.length === Number(most) || model.isEogToken(token)) break;
  }
  sequence.dispose();
  replies.push({ prompt: prompt.map(Number), ids });
}
console.log(JSON.stringify(replies));
process.exit(0);
