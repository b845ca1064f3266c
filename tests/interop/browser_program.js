// SPDX-License-Identifier: MPL-2.0
// Opens a page in headless Chromium, waits for ticks, asks a question and takes a picture, started by
// test_browser.py:
//
//   node browser_program.js CHROMIUM PROFILE-FOLDER PICTURE ADDRESS
//
// Prints "before" and what the page shows; a line on the standard input tells to look again, until
// the end of it.
'use strict';
const readline = require('readline');
const {chromium} = require('playwright-core');

const PATIENCE_MS = 40000;
const ARGUMENTS = [
    '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync',
    '--disable-dev-shm-usage',
];

async function rows(page) {
    return page.$$eval('#ticks tr', list => list.map(
        row => Array.from(row.cells, cell => cell.textContent)));
}

// All three stocks, each with so many ticks more than now.
async function moreTicks(page, count) {
    const before = Object.fromEntries((await rows(page)).map(row => [row[0], Number(row[3])]));
    await page.waitForFunction(([seen, more]) => {
        const list = Array.from(document.querySelectorAll('#ticks tr'));
        return list.length === 3 && list.every(
            row => Number(row.cells[3].textContent) >= (seen[row.cells[0].textContent] || 0) + more);
    }, [before, count], {timeout: PATIENCE_MS});
}

async function ask(page) {
    await page.click('#ask');
    await page.waitForSelector('#ask:enabled', {timeout: PATIENCE_MS});
    return page.textContent('#answer');
}

async function look(page, label, picture) {
    await moreTicks(page, 5);
    const result = {answers: [await ask(page), await ask(page)], rows: await rows(page)};
    await page.screenshot({path: picture});
    console.log(label, JSON.stringify(result));
}

async function main(executablePath, profile, picture, address) {
    const options = {executablePath, headless: true, args: ARGUMENTS, viewport: {width: 800, height: 600}};
    const browser = await chromium.launchPersistentContext(profile, options);
    const page = browser.pages()[0] || await browser.newPage();
    page.on('console', message => console.log('console:', message.text()));
    page.on('pageerror', error => console.log('page error:', error.message));
    await page.goto(address);
    await look(page, 'before', picture);
    for await (const label of readline.createInterface({input: process.stdin}))
        await look(page, label, picture);
    await browser.close();
    console.log('closed');
}

main(...process.argv.slice(2)).catch(error => {
    console.log('FAILED:', error.stack);
    process.exit(1);
});
