import { killCampaign } from './kill.ts';

/** `npm run kill-campaign`: twenty random moments, or as many as the first argument says. */
const kills = Number(process.argv[2] ?? 20);
const seed = Number(process.argv[3] ?? 1);
const report = await killCampaign(kills, seed);
console.log(
  `killed ${report.kills} times, ${report.gotFurther} times after it had got further; ` +
    `${report.runs} runs, ${report.entries} entries, ${report.findings} findings; ` +
    (report.faults.length === 0
      ? 'nothing lost, nothing corrupt, and as without kills'
      : `${report.faults.length} FAULTS`),
);
for (const fault of report.faults) console.log(`  ${fault}`);
process.exitCode = report.faults.length === 0 ? 0 : 1;
