/** `npm run bench -- [reviews|reload|cli] [OPTIONS]`: what the README quotes; each measure tells its options. */

const MEASURES: Readonly<Record<string, () => Promise<unknown>>> = {
  reviews: async () => import('./reviews.ts'),
  reload: async () => import('./reload.ts'),
  cli: async () => import('./cli.ts'),
};

const [asked = 'reviews'] = process.argv.slice(2);
const name = asked.startsWith('-') ? 'reviews' : asked;
const measure = MEASURES[name];
if (measure === undefined) {
  console.error(`there is no measure '${name}'; choose out of ${Object.keys(MEASURES).join(', ')}`);
  process.exitCode = 2;
} else {
  // The measure reads what is left.
  if (asked === name) process.argv.splice(2, 1);
  await measure();
}
