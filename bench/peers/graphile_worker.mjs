// graphile-worker as its documentation sets it up, driven by lines on standard input:
//   "drain N"  runs until N jobs have succeeded, and answers with the seconds that took.
import readline from "node:readline";
import pg from "pg";
import { run, runMigrations } from "graphile-worker";

const [connectionString, concurrency] = process.argv.slice(2);
const pgPool = new pg.Pool({ connectionString, max: 24 });
const quiet = { logger: undefined, noHandleSignals: true };
const note = async ({ text }, { query }) => {
  await query("INSERT INTO public.bench_effects (note) VALUES ($1)", [text]);
};

async function drain(count) {
  const started = performance.now();
  const runner = await run({
    pgPool,
    ...quiet,
    concurrency: Number(concurrency),
    taskList: { note },
  });
  let left = count;
  await new Promise((resolve, reject) => {
    runner.events.on("job:success", () => --left || resolve());
    runner.events.on("job:error", ({ error }) => reject(error));
  });
  const seconds = (performance.now() - started) / 1000;
  await runner.stop();
  return seconds;
}

await runMigrations({ pgPool });
console.log("ready");
for await (const line of readline.createInterface({ input: process.stdin })) {
  console.log(`took ${await drain(Number(line.split(" ")[1]))}`);
}
await pgPool.end();
