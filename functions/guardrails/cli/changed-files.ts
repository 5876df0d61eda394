import type { Revision } from '../findings/finding';
import { spliceItem } from '../krm/item';
import { decodeText, joinDocuments, splice, splitDocuments } from '../yaml/text';
import type { PackageFile } from './package-directory';
import { type FileWrite, NO_FILE } from './write-files';

/** The files of a package that a revision changes, adds or removes. */
export function changedFiles(files: readonly PackageFile[], { items, changes }: Revision): FileWrite[] {
  const touched = new Set([...changes.removed, ...changes.added].map(({ path: file }) => file));
  const rewritten = (file: string, before: readonly string[]) => {
    const documents = items.filter((item) => item.path === file).sort((a, b) => a.index - b.index);
    // A document of comments alone is not an item, and stays: first where it was first, else last.
    const first = before.findIndex((text) => !isComment(text));
    const head = before.slice(0, Math.max(first, 0));
    const tail = before.slice(Math.max(first, 0)).filter(isComment);
    const all = [...head, ...documents.map(({ text }) => text), ...tail];
    return all.length === 0 ? undefined : joinDocuments(all);
  };
  const known = files.flatMap(({ path: file, bytes }) => {
    if (touched.delete(file)) {
      const before = splitDocuments(decodeText(bytes, file)).map(({ text }) => text);
      return [{ path: file, content: rewritten(file, before), original: bytes }];
    }
    const edits = [...changes.edits].filter(([item]) => item.path === file);
    if (edits.length === 0) return [];
    const text = decodeText(bytes, file);
    const content = splice(
      text,
      edits.flatMap(([item, edit]) => spliceItem(text, item, edit)),
    );
    return [{ path: file, content, original: bytes }];
  });
  const added = [...touched].flatMap((file) =>
    file === undefined ? [] : [{ path: file, content: rewritten(file, []), original: NO_FILE } as const],
  );
  return [...known, ...added];
}

function isComment(document: string): boolean {
  return document.includes('#') && document.split('\n').every((line) => /^\s*(#|$)/.test(line));
}
