// llama.cpp beside pretune (chat_decode.py): node llama_cpp.mjs FILE.gguf PROMPT TOKENS THREADS, with NODE_PATH to node-llama-cpp.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [file, prompt, most, threads] = process.argv.slice(2);
const require = createRequire(process.env.NODE_PATH + "/");
const { getLlama, LlamaText, SpecialTokensText } = await import(pathToFileURL(require.resolve("node-llama-cpp")).href);
const llama = await getLlama({ gpu: false, maxThreads: Number(threads), build: "never", logLevel: "error" });
const model = await llama.loadModel({ modelPath: file });
const context = await model.createContext({ contextSize: 512, threads: { ideal: Number(threads), min: Number(threads) } });

async function write(count) {
  const sequence = context.getSequence();
  const text = `<|im_start|>user\n${prompt}<|im_end|>\n<|im_start|>assistant\n`;
  const tokens = model.tokenize(text, true);
  let number = 0, start = 0, used = 0;
  for await (const token of sequence.evaluate(tokens, { temperature: 0, yieldEogToken: true })) {
    if (number === 0) {
      start = performance.now();
      used = process.cpuUsage();
    }
    number += 1;
    if (number > count) break;
  }
  const seconds = (performance.now() - start) / 1000, cpu = process.cpuUsage(used);
  sequence.dispose();
  return { tokens: number - 1, seconds, processor: (cpu.user + cpu.system) / 1e6 };
}

await write(8);
console.log(JSON.stringify(await write(Number(most))));
process.exit(0);
