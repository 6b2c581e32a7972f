//! `trunkline vendors try`: one message for real, its verdict, and its receipts until a final one.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::catalog::Roster;
use crate::cli::serve::told_to_stop;
use crate::cli::vendors::desk::{Heard, Open};
use crate::cli::vendors::errand::Errand;
use crate::cli::vendors::{Mistake, TryArgs, consent};
use crate::cli::{CONFIG, FINE, NO, USAGE, block_on, tell};
use crate::dispatch::Courier;
use crate::flow::{Progress, Receipt, Verdict, VerdictKind};
use crate::reload::{Vendors, load_vendors};
use crate::sandbox::Sandbox;
use crate::time::{Clock, Moment};

/// Refused receipts that are told of; anybody can send them.
const REFUSALS_TOLD_MAX: usize = 10;

pub(super) fn run(args: &TryArgs) -> u8 {
    if args.yes < consent::QUESTIONS && !std::io::stdin().is_terminal() {
        let hint = "`--yes --yes` answers both questions; `--dry-run` sends nothing";
        let message = "there is no terminal to ask whether the message may be sent";
        return Mistake::new(USAGE, message, hint).tell();
    }
    // Simulated vendors live in the same runtime.
    let done = block_on(async {
        let sandbox = args.config.sandbox.then(Sandbox::default);
        let vendors = match &sandbox {
            Some(sandbox) => Vendors::Sandbox(sandbox),
            None => Vendors::Accounts,
        };
        let (roster, problems) = load_vendors(&args.config.place(), &vendors);
        let Some(roster) = roster else {
            tell(&problems);
            return CONFIG;
        };
        if let (Some(sandbox), Some(behaviour)) = (&sandbox, &args.behaviour) {
            // Whether there is such a vendor is told below.
            sandbox.steer(&args.vendor, behaviour.clone());
        }
        match send(args, &roster, sandbox.as_ref()).await {
            Ok(exit) => exit,
            Err(mistake) => mistake.tell(),
        }
    });
    done.unwrap_or_else(|exit| exit)
}

async fn send(args: &TryArgs, roster: &Roster, sandbox: Option<&Sandbox>) -> Result<u8, Mistake> {
    let clock = Clock::start();
    let errand = Arc::new(Errand::new(args, roster)?);
    let (account, channel) = (&errand.account, errand.channel);
    if account.sends_nothing(channel) {
        say!("nothing is sent: each message counts as accepted");
        return Ok(FINE);
    }
    let desk = Open::new(args, &roster.config, &errand, clock).await?;
    if let (Some(sandbox), Ok(open)) = (sandbox, &desk) {
        sandbox.report_to(open.url.clone());
    }
    let open = desk.as_ref().ok();
    let callback = open.map(|open| open.callback.clone());
    let script = open.and_then(|open| open.script.clone());
    let job = errand.job(callback.as_deref(), script.as_deref());
    let unfit = |unfit| errand.unfit(&unfit);
    let preview = account.preview(channel, &job, clock.now()).map_err(unfit)?;
    tell_plan(
        args,
        &errand,
        &preview.url,
        desk.as_ref().map_err(|why| *why),
    );
    let question = if args.config.sandbox {
        "send one simulated message now?"
    } else {
        "send one real message now? It costs money."
    };
    let stdin = || std::io::stdin().lock();
    if !consent::is_given(account.name(), question, args.yes, &mut stdin()) {
        eprintln!("nothing was sent");
        return Ok(NO);
    }
    // From here on an interruption ends the waiting, not the process: the verdict is wanted in any case.
    let mut stop = tokio::spawn(told_to_stop());
    let courier = Courier::new().map_err(|error| Mistake {
        exit: NO,
        message: format!("no vendor can be called: {error}"),
        hint: None,
    })?;
    let sent_at = clock.now();
    // Made anew: what is signed with a time has waited for the answers.
    let request = account.request(channel, &job, sent_at).map_err(unfit)?;
    let verdict = courier.call(account, channel, request).await;
    tell_verdict(&verdict, clock.now().ms_since(sent_at));
    let last = match desk {
        Ok(mut open) => {
            open.knows(&verdict);
            let last = match verdict.may_have_been_sent() {
                true => wait(&mut open, args.wait, &mut stop, sent_at).await,
                false => None,
            };
            open.close().await;
            last
        }
        Err(_) => None,
    };
    Ok(exit(&verdict, last))
}

/// The message was accepted and has not failed since, or it arrived whatever the answer was.
fn exit(verdict: &Verdict, last: Option<Progress>) -> u8 {
    match (verdict.kind, last) {
        (_, Some(Progress::Delivered)) => FINE,
        (_, Some(Progress::Failed)) => NO,
        (VerdictKind::Accepted, _) => FINE,
        (_, _) => NO,
    }
}

fn tell_plan(args: &TryArgs, errand: &Errand, url: &str, desk: Result<&Open, &'static str>) {
    let account = &errand.account;
    let (vendor, definition) = (account.name(), &account.definition().name);
    let whom = if args.config.sandbox {
        "simulated"
    } else {
        "real"
    };
    eprintln!(
        "one message through a {whom} vendor; rules, guard, quotas and switches are not asked"
    );
    eprintln!("  vendor    {vendor} (definition `{definition}`)");
    eprintln!("  address   {url}");
    eprintln!("  number    {} by {}", errand.to.masked(), errand.channel);
    eprintln!(
        "  sender    {}",
        errand.from.as_deref().unwrap_or("the vendor's choice")
    );
    eprintln!("  text      {}", errand.text.expose());
    match desk {
        Ok(open) => {
            let before = open.callback.rsplit_once('/').map(|(before, _)| before);
            let before = before.unwrap_or_default();
            let at = match account.reports_to_one_address(errand.channel) {
                true => format!("{before}, as configured at the vendor"),
                false => format!("{before}/..."),
            };
            let wait = humantime::format_duration(args.wait);
            let heard = open.address;
            eprintln!("  receipts  at {at}, waited for {wait}; heard at {heard}");
        }
        Err(why) => eprintln!("  receipts  {why}"),
    }
}

fn tell_verdict(verdict: &Verdict, ms: i64) {
    say!("verdict     {}", verdict.kind.as_str());
    if let Some(reason) = verdict.reason {
        say!("reason      {}", reason.as_str());
    }
    match (&verdict.code, verdict.unlisted) {
        (Some(code), false) => say!("code        {code}"),
        (Some(code), true) => say!("code        {code}, which the definition does not list"),
        (None, true) => {
            say!("code        hidden: it looks like a text, and the definition does not list it")
        }
        (None, false) => {}
    }
    if let Some(id) = &verdict.message_id {
        say!("message id  {id}");
    }
    if let Some(parts) = verdict.parts {
        say!("parts       {parts}");
    }
    say!("took        {ms} ms");
}

/// Tells every receipt until a final one; gives the last one's progress.
async fn wait(
    open: &mut Open,
    within: Duration,
    stop: &mut JoinHandle<std::io::Result<()>>,
    sent_at: Moment,
) -> Option<Progress> {
    let ends = tokio::time::sleep(within);
    tokio::pin!(ends);
    let (mut last, mut refused) = (None, 0);
    loop {
        let heard = tokio::select! {
            heard = open.heard.recv() => heard?,
            () = &mut ends => {
                let within = humantime::format_duration(within);
                say!("no final receipt within {within}; it may still come");
                return last;
            }
            _ = &mut *stop => {
                say!("no longer waited for; a receipt may still come");
                return last;
            }
        };
        match heard {
            Heard::Receipt(at, receipt) => {
                tell_receipt(&receipt, at, sent_at);
                last = Some(receipt.progress);
                if receipt.progress != Progress::Intermediate {
                    return last;
                }
            }
            Heard::Refused(..) | Heard::Foreign(_) if refused >= REFUSALS_TOLD_MAX => {}
            Heard::Refused(at, refusal) => {
                refused += 1;
                let why = refusal.as_str();
                say!("{}  refused: {why}", at.to_rfc3339());
            }
            Heard::Foreign(at) => {
                refused += 1;
                let why = "of another message; the vendor is to bring it again";
                say!("{}  {why}", at.to_rfc3339());
            }
        }
    }
}

fn tell_receipt(receipt: &Receipt, at: Moment, sent_at: Moment) {
    let mut words = receipt.progress.as_str().to_owned();
    if let Some(reason) = receipt.reason {
        words.push_str(&format!(", {}", reason.as_str()));
    }
    if let Some(code) = &receipt.code {
        words.push_str(&format!(", code {code}"));
    }
    let ms = at.ms_since(sent_at);
    say!("{}  {words}, {ms} ms after the send", at.to_rfc3339());
}
