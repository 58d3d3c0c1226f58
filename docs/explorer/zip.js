// A zip archive of [{path, bytes, executable}], stored and not compressed, with Unix permissions. The format: APPNOTE.TXT.
function zip(files) {
  const [local, central] = [[], []];
  let offset = 0;
  for (const { path, bytes, executable } of files) {
    const name = new TextEncoder().encode(path);
    // Version 2.0, names in UTF-8, stored, on 1 January 1980: the same choice, the same archive.
    const common = [[2, 20], [2, 0x0800], [2, 0], [2, 0], [2, 0x21], [4, crc32(bytes)], [4, bytes.length], [4, bytes.length], [2, name.length], [2, 0]];
    const header = record([4, 0x04034b50], ...common);
    const mode = executable ? 0o100755 : 0o100644;
    central.push(record([4, 0x02014b50], [2, 0x0314], ...common, [2, 0], [2, 0], [2, 0], [4, mode * 0x10000], [4, offset]), name);
    local.push(header, name, bytes);
    offset += header.length + name.length + bytes.length;
  }
  const size = central.reduce((sum, part) => sum + part.length, 0);
  const end = record([4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length], [4, size], [4, offset], [2, 0]);
  return new Blob([...local, ...central, end], { type: "application/zip" });
}

// Numbers one after the other, little-endian: [[bytes, value], …].
function record(...fields) {
  const view = new DataView(new ArrayBuffer(fields.reduce((sum, [width]) => sum + width, 0)));
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(at, value, true);
    else view.setUint32(at, value, true);
    at += width;
  }
  return new Uint8Array(view.buffer);
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let bit = 0; bit < 8; bit++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});

function crc32(bytes) {
  let crc = -1;
  for (const byte of bytes) crc = CRC[(crc ^ byte) & 255] ^ (crc >>> 8);
  return ~crc >>> 0;
}
