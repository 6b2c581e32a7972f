//! What is said and written, in each language, when nobody gave a text.

use std::borrow::Cow;

/// The texts of one language; each has `{code}` where the passcode stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// The tag that most speech engines know the language by.
    pub language: &'static str,
    /// What is read out in a call.
    pub spoken: &'static str,
    /// What is written in a message.
    pub written: &'static str,
}

/// The script of a locale such as `pt-br`, `de_AT` or `zh-Hant-TW`: the whole tag's, else its language's,
/// else the English one.
pub fn script(locale: &str) -> Script {
    known(locale).unwrap_or(SCRIPTS[0].1)
}

/// The tag that speech engines know a language by: `de-DE` for `de`, `cmn-TW` for `zh-tw`, and in their
/// case, `de-AT` for `de-at`.
pub fn tag(language: &str) -> Cow<'_, str> {
    let mut subtags = language.split(['-', '_']);
    let first = subtags.next().unwrap_or_default();
    let region = subtags.next();
    // Chinese has one name for people and another for engines.
    if (region.is_none() || first.eq_ignore_ascii_case("zh"))
        && let Some(script) = known(language)
    {
        return Cow::Borrowed(script.language);
    }
    let mut tag = first.to_ascii_lowercase();
    for subtag in language.split(['-', '_']).skip(1) {
        tag.push('-');
        match subtag.len() {
            2 => tag.push_str(&subtag.to_ascii_uppercase()),
            _ => tag.push_str(subtag),
        }
    }
    Cow::Owned(tag)
}

/// The language of every script.
pub fn languages() -> impl Iterator<Item = &'static str> {
    SCRIPTS.iter().map(|(_, script)| script.language)
}

fn known(locale: &str) -> Option<Script> {
    let mut tag = locale.to_ascii_lowercase().replace('_', "-");
    let mut accent = None;
    loop {
        accent = accent.or_else(|| {
            let mut accents = ACCENTS.into_iter();
            accents.find(|a| a.eq_ignore_ascii_case(&tag))
        });
        let script = SCRIPTS.iter().find(|(tags, _)| tags.contains(&&*tag));
        if let Some((_, script)) = script {
            let language = accent.unwrap_or(script.language);
            return Some(Script {
                language,
                ..*script
            });
        }
        tag.truncate(tag.rfind('-')?);
    }
}

/// Accents that most speech engines have, besides the one that stands for each language.
const ACCENTS: [&str; 7] = [
    "en-AU", "en-GB", "en-IN", "es-MX", "es-US", "fr-CA", "nl-BE",
];

const fn say(language: &'static str, spoken: &'static str, written: &'static str) -> Script {
    Script {
        language,
        spoken,
        written,
    }
}

/// Every script, by the locales that it is for; the first one is for everybody else.
#[rustfmt::skip]
const SCRIPTS: [(&[&str], Script); 41] = [
    (&["en"], say(
        "en-US",
        "Hello. Your verification code is {code}. Once more, your code is {code}. Goodbye.",
        "Your verification code is {code}.",
    )),
    (&["ar"], say(
        "ar",
        "مرحبا. رمز التحقق الخاص بك هو {code}. مرة أخرى، رمزك هو {code}. مع السلامة.",
        "رمز التحقق الخاص بك هو {code}.",
    )),
    (&["bg"], say(
        "bg-BG",
        "Здравейте. Вашият код за потвърждение е {code}. Още веднъж, вашият код е {code}. Довиждане.",
        "Вашият код за потвърждение е {code}.",
    )),
    (&["ca"], say(
        "ca-ES",
        "Hola. El vostre codi de verificació és {code}. Un cop més, el codi és {code}. Adéu.",
        "El vostre codi de verificació és {code}.",
    )),
    (&["cs"], say(
        "cs-CZ",
        "Dobrý den. Váš ověřovací kód je {code}. Ještě jednou, váš kód je {code}. Na shledanou.",
        "Váš ověřovací kód je {code}.",
    )),
    (&["da"], say(
        "da-DK",
        "Hej. Din bekræftelseskode er {code}. Jeg gentager, din kode er {code}. Farvel.",
        "Din bekræftelseskode er {code}.",
    )),
    (&["de"], say(
        "de-DE",
        "Guten Tag. Ihr Bestätigungscode lautet {code}. Noch einmal, Ihr Code lautet {code}. Auf Wiederhören.",
        "Ihr Bestätigungscode lautet {code}.",
    )),
    (&["el"], say(
        "el-GR",
        "Γεια σας. Ο κωδικός επαλήθευσής σας είναι {code}. Επαναλαμβάνω, ο κωδικός σας είναι {code}. Αντίο.",
        "Ο κωδικός επαλήθευσής σας είναι {code}.",
    )),
    (&["es"], say(
        "es-ES",
        "Hola. Su código de verificación es {code}. Repetimos, su código es {code}. Adiós.",
        "Su código de verificación es {code}.",
    )),
    (&["et"], say(
        "et-EE",
        "Tere. Teie kinnituskood on {code}. Kordame, teie kood on {code}. Head aega.",
        "Teie kinnituskood on {code}.",
    )),
    (&["fi"], say(
        "fi-FI",
        "Hei. Vahvistuskoodisi on {code}. Toistamme, koodisi on {code}. Näkemiin.",
        "Vahvistuskoodisi on {code}.",
    )),
    (&["fil", "tl"], say(
        "fil-PH",
        "Kumusta. Ang iyong verification code ay {code}. Uulitin ko, ang iyong code ay {code}. Paalam.",
        "Ang iyong verification code ay {code}.",
    )),
    (&["fr"], say(
        "fr-FR",
        "Bonjour. Votre code de vérification est {code}. Je répète, votre code est {code}. Au revoir.",
        "Votre code de vérification est {code}.",
    )),
    (&["he", "iw"], say(
        "he-IL",
        "שלום. קוד האימות שלך הוא {code}. שוב, הקוד שלך הוא {code}. להתראות.",
        "קוד האימות שלך הוא {code}.",
    )),
    (&["hi"], say(
        "hi-IN",
        "नमस्ते। आपका सत्यापन कोड है {code}। एक बार फिर, आपका कोड है {code}। धन्यवाद।",
        "आपका सत्यापन कोड {code} है।",
    )),
    (&["hr"], say(
        "hr-HR",
        "Dobar dan. Vaš kôd za potvrdu je {code}. Još jednom, vaš kôd je {code}. Doviđenja.",
        "Vaš kôd za potvrdu je {code}.",
    )),
    (&["hu"], say(
        "hu-HU",
        "Jó napot kívánok. Az ellenőrző kódja {code}. Még egyszer, a kódja {code}. Viszonthallásra.",
        "Az ellenőrző kódja {code}.",
    )),
    (&["id", "in"], say(
        "id-ID",
        "Halo. Kode verifikasi Anda adalah {code}. Sekali lagi, kode Anda adalah {code}. Sampai jumpa.",
        "Kode verifikasi Anda adalah {code}.",
    )),
    (&["is"], say(
        "is-IS",
        "Góðan dag. Staðfestingarkóðinn þinn er {code}. Aftur, kóðinn þinn er {code}. Bless.",
        "Staðfestingarkóðinn þinn er {code}.",
    )),
    (&["it"], say(
        "it-IT",
        "Buongiorno. Il suo codice di verifica è {code}. Ripeto, il suo codice è {code}. Arrivederci.",
        "Il suo codice di verifica è {code}.",
    )),
    (&["ja"], say(
        "ja-JP",
        "こんにちは。あなたの確認コードは {code} です。もう一度繰り返します。確認コードは {code} です。失礼いたします。",
        "確認コードは {code} です。",
    )),
    (&["ko"], say(
        "ko-KR",
        "안녕하세요. 인증 코드는 {code} 입니다. 다시 한번 말씀드립니다. 인증 코드는 {code} 입니다. 감사합니다.",
        "인증 코드는 {code} 입니다.",
    )),
    (&["lt"], say(
        "lt-LT",
        "Sveiki. Jūsų patvirtinimo kodas yra {code}. Dar kartą, jūsų kodas yra {code}. Viso gero.",
        "Jūsų patvirtinimo kodas yra {code}.",
    )),
    (&["lv"], say(
        "lv-LV",
        "Labdien. Jūsu verifikācijas kods ir {code}. Vēlreiz, jūsu kods ir {code}. Uz redzēšanos.",
        "Jūsu verifikācijas kods ir {code}.",
    )),
    (&["ms"], say(
        "ms-MY",
        "Helo. Kod pengesahan anda ialah {code}. Sekali lagi, kod anda ialah {code}. Selamat tinggal.",
        "Kod pengesahan anda ialah {code}.",
    )),
    (&["nb", "no", "nn"], say(
        "nb-NO",
        "Hei. Bekreftelseskoden din er {code}. Jeg gjentar, koden din er {code}. Ha det bra.",
        "Bekreftelseskoden din er {code}.",
    )),
    (&["nl"], say(
        "nl-NL",
        "Hallo. Uw verificatiecode is {code}. Nogmaals, uw code is {code}. Tot ziens.",
        "Uw verificatiecode is {code}.",
    )),
    (&["pl"], say(
        "pl-PL",
        "Dzień dobry. Twój kod weryfikacyjny to {code}. Powtarzam, twój kod to {code}. Do widzenia.",
        "Twój kod weryfikacyjny to {code}.",
    )),
    (&["pt"], say(
        "pt-PT",
        "Olá. O seu código de verificação é {code}. Repetimos, o seu código é {code}. Adeus.",
        "O seu código de verificação é {code}.",
    )),
    (&["pt-br"], say(
        "pt-BR",
        "Olá. Seu código de verificação é {code}. Mais uma vez, seu código é {code}. Até logo.",
        "Seu código de verificação é {code}.",
    )),
    (&["ro"], say(
        "ro-RO",
        "Bună ziua. Codul dumneavoastră de verificare este {code}. Încă o dată, codul este {code}. La revedere.",
        "Codul dvs. de verificare este {code}.",
    )),
    (&["ru"], say(
        "ru-RU",
        "Здравствуйте. Ваш код подтверждения: {code}. Повторяю, ваш код: {code}. До свидания.",
        "Ваш код подтверждения: {code}.",
    )),
    (&["sk"], say(
        "sk-SK",
        "Dobrý deň. Váš overovací kód je {code}. Ešte raz, váš kód je {code}. Dovidenia.",
        "Váš overovací kód je {code}.",
    )),
    (&["sl"], say(
        "sl-SI",
        "Pozdravljeni. Vaša koda za preverjanje je {code}. Še enkrat, vaša koda je {code}. Nasvidenje.",
        "Vaša koda za preverjanje je {code}.",
    )),
    (&["sv"], say(
        "sv-SE",
        "Hej. Din verifieringskod är {code}. Jag upprepar, din kod är {code}. Hej då.",
        "Din verifieringskod är {code}.",
    )),
    (&["th"], say(
        "th-TH",
        "สวัสดี รหัสยืนยันของคุณคือ {code} อีกครั้ง รหัสของคุณคือ {code} ขอบคุณ",
        "รหัสยืนยันของคุณคือ {code}",
    )),
    (&["tr"], say(
        "tr-TR",
        "Merhaba. Doğrulama kodunuz {code}. Tekrar ediyoruz, kodunuz {code}. Hoşça kalın.",
        "Doğrulama kodunuz {code}.",
    )),
    (&["uk"], say(
        "uk-UA",
        "Вітаємо. Ваш код підтвердження: {code}. Повторюємо, ваш код: {code}. До побачення.",
        "Ваш код підтвердження: {code}.",
    )),
    (&["vi"], say(
        "vi-VN",
        "Xin chào. Mã xác minh của bạn là {code}. Xin nhắc lại, mã của bạn là {code}. Tạm biệt.",
        "Mã xác minh của bạn là {code}.",
    )),
    (&["zh", "cmn"], say(
        "cmn-CN",
        "您好。您的验证码是 {code}。再重复一遍，您的验证码是 {code}。再见。",
        "您的验证码是 {code}。",
    )),
    (&["zh-tw", "zh-hk", "zh-mo", "zh-hant", "cmn-tw"], say(
        "cmn-TW",
        "您好。您的驗證碼是 {code}。再重複一遍，您的驗證碼是 {code}。再見。",
        "您的驗證碼是 {code}。",
    )),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(locale: &str, language: &str) {
        assert_eq!(script(locale).language, language, "{locale}");
    }

    #[test]
    fn every_script_says_the_code_twice_and_writes_it_once() {
        let mut languages: Vec<&str> = Vec::new();
        for (tags, script) in SCRIPTS {
            assert!(script.spoken.matches("{code}").count() >= 2, "{tags:?}");
            assert_eq!(script.written.matches("{code}").count(), 1, "{tags:?}");
            for text in [script.spoken, script.written] {
                let plain = text.replace("{code}", "");
                assert!(!plain.contains(['{', '}', '<', '>', '&']), "{text}");
            }
            languages.push(script.language);
        }
        languages.sort_unstable();
        languages.dedup();
        assert!(languages.len() >= 40, "{}", languages.len());
        assert_eq!(languages.len(), SCRIPTS.len());
    }

    #[test]
    fn a_locale_has_the_script_of_its_tag_or_else_of_its_language() {
        check("de", "de-DE");
        check("de-AT", "de-DE");
        check("pt", "pt-PT");
        check("pt-br", "pt-BR");
        check("pt_BR", "pt-BR");
        check("no-NO", "nb-NO");
        check("zh", "cmn-CN");
        check("zh-hans-cn", "cmn-CN");
        check("zh-TW", "cmn-TW");
        check("zh-hant-hk", "cmn-TW");
        check("cmn-TW", "cmn-TW");
        check("he-il", "he-IL");
        check("iw", "he-IL");
        check("ar-EG", "ar");
    }

    #[test]
    fn an_accent_that_engines_have_is_kept() {
        check("en-gb", "en-GB");
        check("fr-CA", "fr-CA");
        check("es-mx", "es-MX");
        check("es-cl", "es-ES");
        assert_eq!(script("fr-ca").spoken, script("fr").spoken);
    }

    #[test]
    fn what_nobody_speaks_is_said_in_english() {
        check("", "en-US");
        check("tlh", "en-US");
        check("sw-KE", "en-US");
        check("-", "en-US");
    }

    #[test]
    fn tags_are_written_as_engines_know_them() {
        assert_eq!(tag("de"), "de-DE");
        assert_eq!(tag("de-at"), "de-AT");
        assert_eq!(tag("zh-tw"), "cmn-TW");
        assert_eq!(tag("zh_CN"), "cmn-CN");
        assert_eq!(tag("ar-sa"), "ar-SA");
        assert_eq!(tag("en-GB-WLS"), "en-GB-WLS");
        assert_eq!(tag("sw"), "sw");
    }
}
