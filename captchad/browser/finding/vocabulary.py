"""The words by which sites name captchas, what stands beside them and what became of an answer, in their languages.

Terms are plain text, matched anywhere in folded text (see wording.py); what needs a border is a pattern there.
"""


def _list(text: str) -> tuple[str, ...]:
    """Return the terms of lines with a bar after each; a space before a bar belongs to its term."""
    return tuple(term for line in text.strip().splitlines() for term in line.split("|") if term)


CAPTCHA_TERMS = _list("""
captcha|kaptcha|securimage|turing test|antispam|anti-spam|human verification|verification code|security code|
validation code|confirmation code|image code|visual confirmation|code shown|code in the image|
code from the image|text in the image|characters in the|letters in the|characters you see|text you see|
code you see|characters shown|numbers shown|code below|code above|characters below|text below|characters above|
type the characters|enter the characters|验证码|校验码|驗證碼|認證碼|图形码|图片码|附加码|随机码|认证码|檢核碼|
驗証碼|識別碼|看不清|看不清楚|换一张|換一張|图中字符|图片中的字符|yanzhengma|jiaoyanma|капч|каптч|
код с картинки|код на картинке|код с изображения|
символы с картинки|текст с картинки|символы на картинке|
цифры с картинки|проверочный код|защитный код|
код безопасности|код подтверждения|введите код|
введите символы|антиспам|код із зображення|код з картинки|
перевірочний код|código de seguridad|código de verificación|código de la imagen|
código de comprobación|texto de la imagen|caracteres de la imagen|letras de la imagen|caracteres que ve|
código que aparece|código captcha|código de segurança|código de verificação|código da imagem|
texto da imagem|caracteres da imagem|letras da imagem|digite o código|digite os caracteres|código ao lado|
código acima|código abaixo|code de sécurité|code de vérification|code de l'image|caractères de l'image|
recopiez le code|recopier le code|recopiez les|code anti-spam|code antispam|code de confirmation|code visuel|
code ci-dessous|code ci-contre|texte de l'image|sicherheitscode|bestätigungscode|prüfcode|sicherheitsabfrage|
sicherheitsfrage|bildcode|spamschutz|zeichen im bild|zeichen aus dem bild|code aus dem bild|code im bild|
text im bild|verifizierungscode|codice di sicurezza|codice di verifica|codice di controllo|
caratteri nell'immagine|codice nell'immagine|caratteri dell'immagine|testo dell'immagine|codice dell'immagine|
inserisci il codice|codice captcha|画像認証|認証コード|確認コード|文字認証|画像の文字|表示されている文字|
画像に表示|セキュリティコード|画像の数字|キャプチャ|자동입력방지|자동입력 방지|자동등록방지|자동가입방지|
보안문자|보안 문자|캡차|캡챠|이미지의 문자|그림의 문자|왼쪽 문자|güvenlik kodu|guvenlik kodu|doğrulama kodu|
resimdeki|onay kodu|kod z obrazka|kod zabezpieczający|kod weryfikacyjny|kod bezpieczeństwa|tekst z obrazka|
znaki z obrazka|przepisz kod|przepisz tekst|przepisz znaki|kod captcha|beveiligingscode|verificatiecode|
tekens in de afbeelding|code in de afbeelding|overtypen|säkerhetskod|verifieringskod|sikkerhedskode|
sikkerhetskode|bekreftelseskode|turvakoodi|kontrolní kód|bezpečnostní kód|ověřovací kód|opište kód|
opište text|kontrolný kód|overovací kód|biztonsági kód|ellenőrző kód|cod de securitate|cod de verificare|
codul din imagine|cod de siguranță|κωδικός ασφαλείας|κωδικός επαλήθευσης|
κωδικό της εικόνας|код за сигурност|sigurnosni kod|رمز التحقق|رمز الأمان|كود التحقق|
الرمز الظاهر|أدخل الرمز|الكود الظاهر|رمز الحماية|كلمة التحقق|کد امنیتی|کد تصویر|عبارت امنیتی|کد تایید|کپچا|
קוד אבטחה|קוד אימות|הקלד את התווים|קוד בתמונה|mã xác nhận|mã xác thực|mã bảo vệ|mã bảo mật|mã kiểm tra|
mã an toàn|nhập mã|ký tự trong hình|kode verifikasi|kode keamanan|kode captcha|kode gambar|kode validasi|
masukkan kode|karakter pada|kod keselamatan|kod pengesahan|รหัสยืนยัน|รหัสความปลอดภัย|รหัสในภาพ|กรอกตัวอักษร|
ตัวอักษรในภาพ|सुरक्षा कोड|सत्यापन कोड|कैप्चा|যাচাইকরণ কোড|নিরাপত্তা কোড|கேப்ட்சா|
""")

# A field with one of these in its name is for a picture, whatever stands around it.
PICTURE_TERMS = _list("""
captcha|image|picture|图|圖|картинк|зображен|imagen|imagem|bild|immagine|画像|이미지|그림|
보안문자|resim|obraz|hình|gambar|صورة|تصویر|afbeelding|
""")

HINT_TERMS = _list("""
verif|validat|challenge|security|human|robot|not a bot|spam|answer|验证|校验|驗證|код|провер|verific|
codigo|codice|codul|sicherheit|prüf|réponse|respuesta|resposta|risposta|antwort|ответ|コード|認証|確認|
인증|코드|doğrula|weryfik|رمز|كود|کد|קוד|κωδικ|mã |kode|รหัส|कोड|
""")

# A code that comes by message, mail or an app: no picture shows it.
SENT_TERMS = _list("""
sms|one-time|two-factor|two factor|authenticator|sent to|we sent|we've sent|emailed|by email|text message|
resend|backup code|recovery code|phone code|mobile code|email code|email verification|phone verification|
pin code|短信|簡訊|手机验证|手机动态|动态码|动态密码|语音验证|邮箱验证|邮件验证|郵箱驗證|手機驗證|已发送|смс|
отправили|отправлен|из письма|de un solo uso|enviado|enviamos|reenviar|envoyé|
renvoyer|à usage unique|gesendet|per e-mail|einmalcode|inviato|inviamo|ワンタイム|送信|メールに|문자메시지|
휴대폰 인증|인증번호|발송|gönder|wysłan|wyślij|أرسلنا|المرسل|ارسال|đã gửi|gửi mã|dikirim|kirim kode|
""")

# Buttons that may send one.
SENDING_TERMS = _list("""
获取验证码|發送驗證碼|发送验证码|獲取驗證碼|获取|发送|send code|get code|send verification|
получить код|отправить код|enviar código|obtener código|recevoir le code|
envoyer le code|code senden|code anfordern|invia codice|コードを送信|コードを取得|인증번호 받기|인증요청|
kod gönder|wyślij kod|إرسال الرمز|lấy mã|gửi mã|kirim kode|request code|send otp|get otp|
""")

CONTACT_TERMS = _list("""
phone|mobile|type=tel|email|e-mail|msisdn|手机|手機|电话|邮箱|郵箱|телефон|почт|teléfono|celular|
correo|téléphone|courriel|handy|telefon|cellulare|電話|メール|휴대폰|전화|이메일|e-posta|الهاتف|الجوال|البريد|
điện thoại|ponsel|nomor hp|
""")

# What other fields of a form are for.
OTHER_FIELD_TERMS = _list("""
user|login|account|passw|search|query|keyword|address|city|postal|country|company|coupon|promo|voucher|discount|
gift|amount|price|quantity|birth|message|comment|subject|website|card|iban|referral|invit|newsletter|subscribe|
filter|first name|last name|full name|your name|zip|firstname|lastname|username|nickname|organization|用户|账号|
帳號|会员|姓名|搜索|密码|邀请码|优惠|身份证|学号|логин|поиск|имя|пароль|промокод|
usuario|buscar|nombre|contraseña|usuário|pesquisa|senha|utilisateur|recherche|benutzer|suche|vorname|nachname|
utente|cerca|ユーザー|検索|お名前|아이디|검색|이름|kullanıcı|arama|użytkownik|szukaj|المستخدم|بحث|
tên đăng nhập|tìm kiếm|nama|cari|
""")

DECOY_TERMS = _list("""
二维码|頭像|头像|广告|廣告|徽标|扫码|логотип|аватар|реклам|qr code|qr-code|qr_code|qrcode|
verified by|verified-by|norton|mcafee|verisign|valid-xhtml|valid-css|app-store|appstore|google-play|googleplay|
playstore|doubleclick|adsense|gravatar|
""")

# Words of what shows a captcha when clicked; with a captcha's name beside them, never without.
REVEAL_TERMS = _list("""
show|load|display|reveal|view|click|tap|get|see|显示|顯示|点击|點擊|获取|獲取|加载|查看|показать|
загрузить|получить|нажмите|mostrar|ver |cargar|carregar|exibir|afficher|voir|charger|
anzeigen|laden|einblenden|mostra|visualizza|carica|表示|クリック|보기|표시|클릭|göster|yükle|pokaż|wyświetl|
załaduj|عرض|إظهار|اضغط|hiển thị|xem mã|tampilkan|lihat|toon|weergeven|zobrazit|visa|vis |megjelenít|afișează|
εμφάνιση|
""")

# What is never clicked, whatever else it says.
UNTOUCHABLE_TERMS = _list("""
submit|log in|login|sign in|sign up|register|delete|remove|buy|pay|order|send|audio|voice|speak|listen|refresh|
reload|new image|change|help|what is|privacy|terms|登录|登錄|注册|提交|删除|购买|支付|发送|發送|语音|刷新|换一|
换张|отправить|войти|удалить|купить|обновить|enviar|comprar|eliminar|envoyer|
acheter|supprimer|senden|kaufen|löschen|aktualisieren|invia|acquista|elimina|送信|購入|削除|更新|보내기|삭제|
구매|새로고침|gönder|sil|satın|wyślij|usuń|kup |إرسال|حذف|شراء|gửi|xóa|mua|kirim|hapus|beli|
""")

# Words on labels and buttons beside a captcha, which a code could be mistaken for.
PAGE_WORDS = _list("""
code|text|image|picture|captcha|next|back|cancel|close|done|okay|confirm|continue|enter|type|verify|check|reset|clear|
new|another|other|again|try|retry|update|renew|switch|required|optional|hint|info|note|letters|digits|numbers|
characters|here|please|email|phone|mobile|yes|none|true|false|home|menu|save|edit|sms|otp|url|loading|wait|error|
""")

# What a site says where it does not take an answer.
REFUSAL_TERMS = _list("""
wrong|incorrect|invalid|not valid|could not|couldn't|cannot|unable|not verified|not correct|not match|n't match|
mismatch|error|failed|failure|denied|rejected|expired|
try again|unsuccess|not right|not accepted|missing|please enter|please fill|is required|mistyped|"success":false|
"success": false|"ok":false|"ok": false|错误|錯誤|不正确|不正確|有误|有誤|失败|失敗|无效|無效|过期|過期|不匹配|不一致|
重新输入|重新輸入|请输入|請輸入|不能为空|不符|неверн|неправильн|ошибк|не совпада|не подош|попробуйте ещ|
попробуйте снова|недействит|просроч|истек|отклон|введите код ещ|невірн|неправильн|помилк|недійсн|спробуйте ще|
няправільн|памылк|грешен|грешка|невалид|неправилен|погрешан|погрешно|neispravan|pogrešan|pogrešno|greška|netočan|
napačen|napaka|
falsch|ungültig|fehler|nicht korrekt|stimmt nicht|stimmen nicht|nicht überein|fehlgeschlagen|erneut versuchen|
abgelaufen|
onjuist|ongeldig|fout|verkeerd|mislukt|probeer opnieuw|incorrecte|erroné|invalide|erreur|échec|échoué|ne correspond|
réessayez|
réessayer|expiré|pas valide|incorrecto|incorrecta|inválido|inválida|no válido|no es válid|erróneo|equivocad|
no coincide|
inténtelo de nuevo|intente de nuevo|inténtalo de nuevo|caducado|falló|ha fallado|incorreto|incorreta|errado|errada|
erro |
não confere|não corresponde|tente novamente|falhou|expirou|não é válid|errato|errata|sbagliat|non valid|non corrett|
non corrispond|
errore|riprova|scadut|fallit|incorrect|no vàlid|incorrecte|違います|違っています|正しくありません|間違|誤り|
誤って|エラー|失敗|無効|一致しません|もう一度|再入力|期限切れ|틀렸|틀린|잘못|올바르지|일치하지|오류|실패|유효하지|
다시 입력|다시 시도|만료|
yanlış|hatalı|geçersiz|hata |başarısız|eşleşmi|tekrar deneyin|yeniden deneyin|błędn|nieprawidłow|niepoprawn|nieudan|
błąd|spróbuj ponownie|
wygasł|niezgodn|felaktig|fel kod|fel svar|ogiltig|stämmer inte|misslyckades|försök igen|forkert|ugyldig|stemmer ikke|
mislykkedes|
prøv igen|feil|galt|mislyktes|prøv igjen|väärä|väärin|virheelli|virhe|epäonnist|yritä uudelleen|ei kelpaa|vale kood|
vigane|nepareiz|
neteising|klaida|chybn|nesprávn|neplatn|chyba|nesouhlas|selhal|zkuste to znovu|nesprávne|zlyhal|nesúhlas|skúste znova|
hibás|
helytelen|érvénytelen|hiba |sikertelen|nem egyezik|próbálja újra|rossz|greșit|incorectă|invalid|eroare|nu corespunde|
încercați din nou|eșuat|λάθος|λανθασμέν|εσφαλμέν|μη έγκυρ|σφάλμα|απέτυχε|δοκιμάστε ξανά|خطأ|خاطئ|غير صحيح|غير صالح|
غير مطابق|
فشل|حاول مرة أخرى|منتهي|اشتباه|نادرست|نامعتبر|صحیح نیست|خطا|ناموفق|دوباره تلاش|مطابقت ندارد|שגוי|שגיאה|לא נכון|
לא תקין|
נסה שוב|נכשל|अमान्य|गलत|त्रुटि|विफल|पुनः प्रयास|मेल नहीं|ভুল|অবৈধ|ত্রুটি|ব্যর্থ|আবার চেষ্টা|தவறான|தவறு|பிழை|செல்லாத|
ไม่ถูกต้อง|
ผิดพลาด|รหัสผิด|ล้มเหลว|ไม่ตรง|ลองใหม่|หมดอายุ|không đúng|không chính xác|không hợp lệ|sai mã|mã sai|bị sai|
không khớp|thất bại|
lỗi |thử lại|hết hạn|salah|tidak valid|tidak sesuai|tidak cocok|gagal|keliru|coba lagi|tidak sah|cuba lagi|
kedaluwarsa|
""")

# What a site says where it takes one.
ACCEPTANCE_TERMS = _list("""
welcome|success|thank you|thanks|thank-you|congratulations|accepted|is correct|was correct|correct!|verified|
you are in|has been sent|was sent|
has been received|we received|we have received|submitted|registered|logged in|signed in|is posted|was posted|
been posted|published|
booked|confirmed|"success":true|"success": true|"ok":true|成功|欢迎|歡迎|谢谢|謝謝|感谢|感謝|已提交|已发送|已發送|
已登录|已登入|已完成|验证通过|
добро пожаловать|успешн|спасибо|принят|отправлено|верно|здравствуйте|ласкаво просимо|успішн|дякуємо|надіслано|прийнят|
дзякуй|паспяхов|добре дошли|благодар|успешно|hvala|uspješno|uspešno|dobrodošli|willkommen|erfolgreich|danke|
vielen dank|gesendet|
bestätigt|welkom|gelukt|succesvol|bedankt|verzonden|bienvenue|réussi|succès|merci|envoyé|accepté|bienvenid|éxito|
exitos|
gracias|enviado|enviada|correctamente|aceptad|bem-vind|bem vindo|sucesso|obrigad|aceito|benvenut|successo|grazie|
inviat|accettat|
benvingut|gràcies|ようこそ|成功しました|ありがとう|完了|送信しました|受け付けました|ログインしました|환영|성공|
감사합니다|완료|접수되었|hoş geldin|
hoşgeldin|başarıyla|başarılı|teşekkür|gönderildi|witaj|witamy|pomyślnie|dziękujemy|wysłano|zalogowano|przyjęt|
välkommen|lyckades|tack |skickat|velkommen|lykkedes|tak for|takk|vellykket|tervetuloa|onnistui|kiitos|lähetetty|
tere tulemast|aitäh|
ačiū|paldies|vítejte|úspěšně|děkujeme|odesláno|vitajte|úspešne|ďakujeme|odoslané|üdvözöljük|sikeres|köszönjük|
elküldve|
bine ați venit|bun venit|succes|mulțumim|trimis cu|καλώς|επιτυχ|ευχαριστ|εστάλη|مرحبا|أهلا|بنجاح|شكرا|تم إرسال|
تم الإرسال|تم قبول|
خوش آمدید|موفقیت|متشکر|سپاس|با تشکر|ارسال شد|ברוך הבא|ברוכים הבאים|בהצלחה|תודה|נשלח|स्वागत|सफल|धन्यवाद|স্বাগতম|সফল|
ধন্যবাদ|
வரவேற்கிறோம்|வெற்றி|நன்றி|ยินดีต้อนรับ|สำเร็จ|ขอบคุณ|เรียบร้อย|chào mừng|thành công|cảm ơn|đã gửi|selamat datang|
berhasil|
terima kasih|sukses|berjaya|telah dikirim|terkirim|
""")

# What only who is signed in is shown.
SIGNED_IN_TERMS = _list("""
log out|logout|log off|sign out|signout|my account|my profile|退出|注销|登出|выйти|выход|вийти|вихід|изход|odjava|
abmelden|
ausloggen|
uitloggen|afmelden|déconnexion|se déconnecter|cerrar sesión|desconectar|terminar sessão|sair |esci |disconnetti|
tanca la sessió|
ログアウト|サインアウト|로그아웃|çıkış|oturumu kapat|wyloguj|logga ut|log ud|logg ut|kirjaudu ulos|logi välja|
odhlásit|odhlásiť|
kijelentkezés|deconectare|αποσύνδεση|έξοδος|تسجيل الخروج|خروج|התנתק|लॉग आउट|লগ আউট|வெளியேறு|ออกจากระบบ|đăng xuất|
keluar|log keluar|
""")
