// Debian's Chromium is used; puppeteer must not download one of its own.
module.exports = { skipDownload: true };
