/**
 * Go templates of External Secrets as Infisical's operator reads them. Both have the same functions; what differs is
 * the name of a value: `.password` there, `.PASSWORD.Value` here.
 */

/** Names of values to what stands for them, as a Go operand: `.PASSWORD.Value`. */
export type Variables = ReadonlyMap<string, string>;

export type Translated = { readonly text: string } | { readonly why: string };

/** Within them the dot is another one, or a name is defined that only the program behind knows. */
const BLOCKS = /^-?\s*(?:range|with|define|template|block)\b/;

export function translateTemplate(template: string, variables: Variables): Translated {
  const parts: string[] = [];
  let end = 0;
  for (const match of template.matchAll(/\{\{([^]*?)\}\}/g)) {
    const action = match[1] ?? '';
    const translated = translateAction(action, variables);
    if ('why' in translated) return translated;
    parts.push(template.slice(end, match.index), `{{${translated.text}}}`);
    end = match.index + match[0].length;
  }
  return { text: parts.join('') + template.slice(end) };
}

/** Strings, `index . "name"`, names after a dot, variables, a dot alone. Everything else stays as it is. */
const TOKENS =
  /(?<literal>"(?:[^"\\]|\\.)*"|`[^`]*`|'(?:[^'\\]|\\.)*')|index\s+\.\s+"(?<indexed>[^"\\]+)"|(?<![\w)\]"])\.(?<name>[A-Za-z_]\w*)(?<chain>(?:\.\w+)*)|(?<variable>\$\w*)|(?<dot>(?<![\w.)\]])\.(?![\w.]))/g;

function translateAction(action: string, variables: Variables): Translated {
  if (/^-?\s*\/\*/.test(action)) return { text: action };
  const block = BLOCKS.exec(action);
  if (block !== null) return { why: `it has '${block[0].replace('-', '').trim()}'` };
  const parts: string[] = [];
  let end = 0;
  for (const match of action.matchAll(TOKENS)) {
    const operand = operandOf(match.groups ?? {}, variables);
    if (operand !== undefined && typeof operand !== 'string') return operand;
    parts.push(action.slice(end, match.index), operand ?? match[0]);
    end = match.index + match[0].length;
  }
  return { text: parts.join('') + action.slice(end) };
}

type Token = Readonly<Record<string, string | undefined>>;

/** What takes a token's place: undefined where it stays. */
function operandOf(
  { literal, indexed, name, chain, variable }: Token,
  variables: Variables,
): string | { readonly why: string } | undefined {
  if (literal !== undefined) return undefined;
  if (variable !== undefined) return { why: `it has the variable ${variable}` };
  const wanted = indexed ?? name;
  if (wanted === undefined) return { why: 'it uses all values at once' };
  if (chain !== undefined && chain !== '') return { why: `it looks into '${wanted}'` };
  return variables.get(wanted) ?? { why: `it uses '${wanted}', which no entry of data gives` };
}
