/** What a command prints, kept in a file of its own: `vitest -u` writes it anew, and a reviewer sees the difference. */
import { expect } from 'vitest';

/** Ages and times of the day are of the moment; everything else is held. */
export async function expectGolden(name: string, written: string): Promise<void> {
  const steady = written
    .replaceAll(/\b\d+[smhd] ago\b/g, '<AGE> ago')
    .replaceAll(/\b\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<TIME>')
    .replaceAll(/[ \t]+$/gm, '');
  await expect(steady).toMatchFileSnapshot(`golden/${name}`);
}
