/* language_samples.h - made by tools/language_profiles.py from the Universal Declaration of Human
 * Rights.  These windows are in no profile. */
/* clang-format off */
#ifndef TESTS_LANGUAGE_SAMPLES_H
#define TESTS_LANGUAGE_SAMPLES_H

static const struct {
    const char *code, *text;
} language_samples[] = {
    { "en",
        " Declaration constantly in mind, shall strive by teaching and education"
        " to promote respect for these rights and freedoms and by progressive me"
        "asures, national and international, to secure their universal and effec"
        "tive recognition and observ" },
    { "en",
        "o one shall be held guilty of any penal offence on account of any act o"
        "r omission which did not constitute a penal offence, under national or "
        "international law, at the time when it was committed. Nor shall a heavi"
        "er penalty be imposed than " },
    { "en",
        "bly and association. No one may be compelled to belong to an associatio"
        "n. Article 21 Everyone has the right to take part in the government of "
        "his country, directly or through freely chosen representatives. Everyon"
        "e has the right of equal ac" },
    { "en",
        "is of merit. Education shall be directed to the full development of the"
        " human personality and to the strengthening of respect for human rights"
        " and fundamental freedoms. It shall promote understanding, tolerance an"
        "d friendship among all nati" },
    { "de",
        "e Ideal, damit jeder einzelne und alle Organe der Gesellschaft sich die"
        "se Erklärung stets gegenwärtig halten und sich bemühen, durch Unterrich"
        "t und Erziehung die Achtung vor diesen Rechten und Freiheiten zu förder"
        "n und durch fortschreitende" },
    { "de",
        " gegen ihn erhobenen strafrechtlichen Beschuldigung in voller Gleichhei"
        "t Anspruch auf ein gerechtes und öffentliches Verfahren vor einem unabh"
        "ängigen und unparteiischen Gericht. Artikel 11 Jeder, der wegen einer s"
        "trafbaren Handlung beschuld" },
    { "de",
        "Eigentum innezuhaben. Niemand darf willkürlich seines Eigentums beraubt"
        " werden. Artikel 18 Jeder hat das Recht auf Gedanken‐, Gewissens‐ und R"
        "eligionsfreiheit; dieses Recht schließt die Freiheit ein, seine Religio"
        "n oder Überzeugung zu wechs" },
    { "de",
        "rholung und Freizeit und insbesondere auf eine vernünftige Begrenzung d"
        "er Arbeitszeit und regelmäßigen bezahlten Urlaub. Artikel 25 Jeder hat "
        "das Recht auf einen Lebensstandard, der seine und seiner Familie Gesund"
        "heit und Wohl gewährleistet" },
    { "fr",
        "ration universelle des droits de l’homme comme l’idéal commun à atteind"
        "re par tous les peuples et toutes les nations afin que tous les individ"
        "us et tous les organes de la société, ayant cette Déclaration constamme"
        "nt à l’esprit, s’efforcent," },
    { "fr",
        "ute personne a droit, en pleine égalité, à ce que sa cause soit entendu"
        "e équitablement et publiquement par un tribunal indépendant et impartia"
        "l, qui décidera, soit de ses droits et obligations, soit du bien fondé "
        "de toute accusation en mati" },
    { "fr",
        "roit à la liberté de pensée, de conscience et de religion ; ce droit im"
        "plique la liberté de changer de religion ou de conviction ainsi que la "
        "liberté de manifester sa religion ou sa conviction, seule ou en commun,"
        " tant en public qu’en privé" },
    { "fr",
        " limitation raisonnable de la durée du travail et à des congés payés pé"
        "riodiques. Article 25 Toute personne a droit à un niveau de vie suffisa"
        "nt pour assurer sa santé, son bien‐être et ceux de sa famille, notammen"
        "t pour l’alimentation, l’ha" },
    { "es",
        "a Asamblea General, Proclama la presente Declaración Universal de los D"
        "erechos Humanos como ideal común por el que todos los pueblos y nacione"
        "s deben esforzarse, a fin de que tanto los individuos como las instituc"
        "iones, inspirándose constan" },
    { "es",
        ", en condiciones de plena igualdad, a ser oída públicamente y con justi"
        "cia por un tribunal independiente e imparcial, para la determinación de"
        " sus derechos y obligaciones o para el examen de cualquier acusación co"
        "ntra ella en materia penal." },
    { "es",
        "ste derecho incluye la libertad de cambiar de religión o de creencia, a"
        "sí como la libertad de manifestar su religión o su creencia, individual"
        " y colectivamente, tanto en público como en privado, por la enseñanza, "
        "la práctica, el culto y la " },
    { "es",
        "culo 25 Toda persona tiene derecho a un nivel de vida adecuado que le a"
        "segure, así como a su familia, la salud y el bienestar, y en especial l"
        "a alimentación, el vestido, la vivienda, la asistencia médica y los ser"
        "vicios sociales necesarios;" },
    { "pt",
        "dos os povos e todas as nações, a fim de que todos os indivíduos e todo"
        "s os órgãos da sociedade, tendo‐a constantemente no espírito, se esforc"
        "em, pelo ensino e pela educação, por desenvolver o respeito desses dire"
        "itos e liberdades e por pro" },
    { "pt",
        "razões de qualquer acusação em matéria penal que contra ela seja deduzi"
        "da. Artigo 11.º Toda a pessoa acusada de um acto delituoso presume‐se i"
        "nocente até que a sua culpabilidade fique legalmente provada no decurso"
        " de um processo público em " },
    { "pt",
        "em privado, pelo ensino, pela prática, pelo culto e pelos ritos. Artigo"
        " 19.º Todo o indivíduo tem direito à liberdade de opinião e de expressã"
        "o, o que implica o direito de não ser inquietado pelas suas opiniões e "
        "o de procurar, receber e di" },
    { "pt",
        "invalidez, na viuvez, na velhice ou noutros casos de perda de meios de "
        "subsistência por circunstâncias independentes da sua vontade. A materni"
        "dade e a infância têm direito a ajuda e a assistência especiais. Todas "
        "as crianças, nascidas dentr" },
    { "it",
        " ideale comune da raggiungersi da tutti i popoli e da tutte le Nazioni,"
        " al fine che ogni individuo ed ogni organo della società, avendo costan"
        "temente presente questa Dichiarazione, si sforzi di promuovere, con l'i"
        "nsegnamento e l'educazione," },
    { "it",
        "tato, detenuto o esiliato. Articolo 10 Ogni individuo ha diritto, in po"
        "sizione di piena uguaglianza, ad una equa e pubblica udienza davanti ad"
        " un tribunale indipendente e imparziale, al fine della determinazione d"
        "ei suoi diritti e dei suoi " },
    { "it",
        "na proprietà sua personale o in comune con altri. Nessun individuo potr"
        "à essere arbitrariamente privato della sua proprietà. Articolo 18 Ogni "
        "individuo ha diritto alla libertà di pensiero, di coscienza e di religi"
        "one; tale diritto include l" },
    { "it",
        " 24 Ogni individuo ha diritto al riposo ed allo svago, comprendendo in "
        "ciò una ragionevole limitazione delle ore di lavoro e ferie periodiche "
        "retribuite. Articolo 25 Ogni individuo ha diritto ad un tenore di vita "
        "sufficiente a garantire la " },
    { "nl",
        " grootste belang is voor de volledige nakoming van deze verbintenis, da"
        "t een ieder begrip hebbe voor deze rechten en vrijheden; Op grond daarv"
        "an proclameert de Algemene Vergadering deze Universele Verklaring van d"
        "e Rechten van de Mens als h" },
    { "nl",
        " bevoegde nationale rechterlijke instanties tegen handelingen, welke in"
        " strijd zijn met de grondrechten hem toegekend bij Grondwet of wet. Art"
        "ikel 9 Niemand zal onderworpen worden aan willekeurige arrestatie, dete"
        "ntie of verbanning. Artikel" },
    { "nl",
        "uwen en een gezin te stichten. Zij hebben gelijke rechten wat het huwel"
        "ijk betreft, tijdens het huwelijk en bij de ontbinding ervan. Een huwel"
        "ijk kan slechts worden gesloten met de vrije en volledige toestemming v"
        "an de aanstaande echtgenote" },
    { "nl",
        "ikel 23 Een ieder heeft recht op arbeid, op vrije keuze van beroep, op "
        "rechtmatige en gunstige arbeidsvoorwaarden en op bescherming tegen werk"
        "loosheid. Een ieder, zonder enige achterstelling, heeft recht op gelijk"
        " loon voor gelijke arbeid. " },
    { "sv",
        "pfostran befordra respekten för dessa fri- och rättigheter samt genom f"
        "ramstegsfrämjande inhemska och internationella åtgärder säkerställa der"
        "as allmänna och verksamma erkännande och tilllämpning såväl bland folke"
        "n i medlemsstaterna som bla" },
    { "sv",
        "antier. Ingen må dömas för handling eller underlåtenhet, som vid tidpun"
        "kten för dess begående icke var straffbar enligt inhemsk eller internat"
        "ionell rätt. Ej heller må högre straff utmätas än vad som var tillämpli"
        "gt vid tidpunkten för den s" },
    { "sv",
        "ar rätt att taga del i sitt lands styrelse direkt eller genom fritt val"
        "da ombud. Envar har rätt till lika tillträde till allmän tjänst i sitt "
        "land. Folkets vilja skall utgöra grundvalen för statsmakternas myndighe"
        "t. Denna vilja skall uttryc" },
    { "sv",
        "ll syfta till personlighetens fulla utveckling och till att stärka resp"
        "ekten för människans grundläggande fri- och rättigheter. Undervisningen"
        " skall främja förståelse, tolerans och vänskap mellan alla nationer, ra"
        "sgrupper och religiösa grup" },
    { "da",
        "nnem undervisning og opdragelse at fremme respekt for disse rettigheder"
        " og friheder og gennem fremadskridende nationale og internationale fora"
        "nstaltninger at sikre, at de anerkendes og overholdes overalt og effekt"
        "ivt, både blandt befolkning" },
    { "da",
        "klages for et strafbart forhold, har ret til at blive anset for uskyldi"
        "g, indtil hans skyld er godtgjort i henhold til lov ved en offentlig re"
        "tshandling, hvorunder han har fået alle de garantier, der er fornødne f"
        "or hans forsvar. Ingen må a" },
    { "da",
        "tringsfrihed; denne ret omfatter frihed til at hævde sin opfattelse ude"
        "n indblanding og til at søge, modtage og meddele oplysning og tanker ve"
        "d et hvilket som helst meddelelsesmiddel og uanset landegrænser. Artike"
        "l 20. Alle har ret til unde" },
    { "da",
        "ementære og grundlæggende trin. Elementær undervisning skal være obliga"
        "torisk. Teknisk og faglig uddannelse skal gøres almindelig tilgængelig "
        "for alle, og på grundlag af evner skal der være lige adgang for alle ti"
        "l højere undervisning. Unde" },
    { "nb",
        "nt og effektivt anerkjent og overholdt både blant folkene i medlemsstat"
        "ene selv og blant folkene i de områder som står under deres overhøyhet."
        " Artikkel 1. Alle mennesker er født frie og med samme menneskeverd og m"
        "enneskerettigheter. De er u" },
    { "nb",
        "e skal det kunne idømmes strengere straff enn den som det var hjemmel f"
        "or på den tid da den straffbare handling ble begått. Artikkel 12. Ingen"
        " må utsettes for vilkårlig innblanding i privatliv, familie, hjem og ko"
        "rrespondanse, eller for ang" },
    { "nb",
        "d. Folkets vilje skal være grunnlaget for offentlig myndighet. Denne vi"
        "lje skal komme til uttrykk gjennom periodiske og reelle valg med allmen"
        "n og lik stemmerett og med hemmelig avstemning eller likeverdig fri ste"
        "mmemåte. Artikkel 22. Enhve" },
    { "nb",
        "ning deres barn skal få. Artikkel 27. Enhver har rett til fritt å delta"
        " i samfunnets kulturelle liv, til å nyte kunst og til å få del i den vi"
        "tenskapelige framgang og dens goder. Enhver har rett til beskyttelse av"
        " de åndelige og materielle " },
    { "fi",
        "rkisi, pitäen alati mielessään tämän julistuksen, valistamalla ja opett"
        "amalla edistämään näiden oikeuksien ja vapauksien kunnioittamista sekä "
        "turvaamaan jatkuvin kansallisin ja kansainvälisin toimenpitein niiden y"
        "leisen ja tehokkaan tunnust" },
    { "fi",
        "selvitettäessä. 11. artikla. Jokaisen rikollisesta teosta syytteessä ol"
        "evan henkilön edellytetään olevan syytön siihen asti kunnes hänen syyll"
        "isyytensä on laillisesti todistettu julkisessa oikeudenkäynnissä, jossa"
        " hänelle turvataan kaikki h" },
    { "fi",
        "rtikla. Jokaisella on oikeus mielipiteen- ja sananvapauteen; tähän sisä"
        "ltyy oikeus häiritsemättä pitää mielipiteensä sekä oikeus rajoista riip"
        "pumatta hankkia, vastaanottaa ja levittää tietoja kaikkien tiedotusväli"
        "neiden kautta. 20. artikla." },
    { "fi",
        "ulkopuolella, tulee nauttia samaa yhteiskunnan suojaa. 26. artikla. Jok"
        "aisella on oikeus saada opetusta. Opetuksen on oltava ainakin alkeis- j"
        "a perusopetuksen osalta maksutonta. Alkeisopetuksen on oltava pakolline"
        "n. Teknistä ja ammattiopetu" },
    { "is",
        " milli, er að markmiðum yfirlýsingarinnar stefna, tryggja almenna og vi"
        "rka viðurkenningu á grundvallaratriðum hennar og sjá um, að Þau verði í"
        " heiðri höfó, bæði meðal Þjóða aðildarríkjanna sjálfra og meðal Þjóða á"
        " landsvæðum Þeim, er hlita " },
    { "is",
        "vörn sakbornings. Engan skal telja sekan til refsingar, nema verknaður "
        "sá eða aðgerðaleysi, sem hann er borinn, varði refsingu að landslögum e"
        "ða þjóðarétti á þeim tíma, er máli skiptir. Eigi má heldur dæma hann ti"
        "l þyngri refsingar en þeirr" },
    { "is",
        "inlínis eða með því að kjósa til þess fulltrúa frjálsum kosningum. Hver"
        " maður á jafnan rétt til þess að gegna opinberum störfum í landi sínu. "
        "Vilji þjóðarinnar skal vera grundvöllur að valdi ríkisstjórnar. Skal ha"
        "nn látinn í ljós með reglub" },
    { "is",
        "skuli njóta. 27. grein Hverjum manni ber réttur til þess að taka frjáls"
        "an þátt í menningarlífi þjóðfélagsins, njóta lista, eiga þátt í framför"
        "um á sviði vísinda og verða aðnjótandi þeirra gæða, er af þeim leiðir. "
        "Hver maður skal njóta lögve" },
    { "pl",
        "jania poszanowania tych praw i wolności i aby zapewniły za pomocą postę"
        "powych środków o zasięgu krajowym i międzynarodowym powszechne i skutec"
        "zne uznanie i stosowanie tej Deklaracji zarówno wśród narodów Państw Cz"
        "łonkowskich, jak i wśród na" },
    { "pl",
        " 11 Każdy człowiek oskarżony o popełnienie przestępstwa ma prawo, aby u"
        "znawano go za niewinnego dopóty, dopóki nie udowodni mu się winy zgodni"
        "e z prawem podczas publicznego procesu, w którym zapewniono mu wszystki"
        "e konieczne środki obrony. " },
    { "pl",
        "e, uprawianie kultu i przestrzeganie obyczajów. Artykuł 19 Każdy człowi"
        "ek ma prawo wolności opinii i wyrażania jej; prawo to obejmuje swobodę "
        "posiadania niezależnej opinii, poszukiwania, otrzymywania i rozpowszech"
        "niania informacji i poglądó" },
    { "pl",
        "mocy. Wszystkie dzieci, zarówno małżeńskie jak i pozamałżeńskie, korzys"
        "tają z jednakowej ochrony społecznej. Artykuł 26 Każdy człowiek ma praw"
        "o do nauki. Nauka jest bezpłatna, przynajmniej na stopniu podstawowym. "
        "Nauka podstawowa jest obowi" },
    { "cs",
        "svobodní a sobě rovní co do důstojnosti a práv. Jsou nadáni rozumem a s"
        "vědomím a mají spolu jednat v duchu bratrství. Článek 2 Každý má všechn"
        "a práva a všechny svobody, stanovené touto deklarací, bez jakéhokoli ro"
        "zlišování, zejména podle ra" },
    { "cs",
        "ebo útokům. Článek 13 Každý má právo volně se pohybovat a svobodně si v"
        "olit bydliště uvnitř určitého státu. Každý má právo opustit kteroukoli "
        "zemi, i svou vlastní, a vrátit se do své země. Článek 14 Každý má právo"
        " vyhledat si před pronásled" },
    { "cs",
        "nárok na to, aby mu byla národním úsilím i mezinárodní součinností a v "
        "souladu s organizací a s prostředky příslušného státu zajištěna hospodá"
        "řská, sociální a kulturní práva, nezbytná k jeho důstojnosti a k svobod"
        "nému rozvoji jeho osobnosti" },
    { "cs",
        "ární nebo umělecké tvorby. Článek 28 Každý má právo na to, aby vládl ta"
        "kový sociální a mezinárodní řád, ve kterém by práva a svobody stanovené"
        " v této deklaraci byly plně uplatněny. Článek 29 Každý má povinnosti vů"
        "či společnosti, v níž jedin" },
    { "sk",
        " ľudia sa rodia slobodní a sebe rovní , čo sa týka ich dostojnosti a pr"
        "áv. Sú obdarení rozumom a majú navzájom jednať v bratskom duchu. Článok"
        " 2. Každý má všetky práva a všetky slobody, vyhlášené v tejto deklaráci"
        "i, bez hociakého rozlišovan" },
    { "sk",
        " a povesť. Každý má právo na zákonnú ochranu proti takýmto zásahom aleb"
        "o útokom. Článok 13. (1) Každý má právo voľne sa pohybovať a slobodne s"
        "i zvoliť bydlisko v tom - ktorom štáte. (2) Každý má právo opustiť hoci"
        "ktorú krajinu, i svoju vlas" },
    { "sk",
        "hlasovacieho práva tajným hlasovaním alebo rovnocenným postupom, ktorý "
        "zabezpečuje slobodu hlasovania. Článok 22. Každý človek má ako člen spo"
        "ločnosti právo na sociálne zabezpečenie a nárok, aby mu boly národným ú"
        "silím i medzinárodnou súčin" },
    { "sk",
        "lobodne sa účastniť na kultúrnom živote spoločnosti, užívať plodov umen"
        "ia a účastniť sa na vedeckom pokroku a jeho výťažkoch. Každý má právo n"
        "a ochranu morálnych a materiálnych záujmov, ktoré vyplývajú z jeho vede"
        "ckej, literárnej alebo umel" },
    { "sl",
        "nično priznanje in spoštovanje, tako med narodi držav članic samih, kak"
        "or tudi med ljudstvi ozemelj pod njihovo oblastjo. 1. člen Vsi ljudje s"
        "e rodijo svobodni in imajo enako dostojanstvo in enake pravice. Obdarje"
        "ni so z razumom in vestjo i" },
    { "sl",
        "ste, ki je bila predpisana v času storitve kaznivega dejanja. 12. člen "
        "Nikogar se ne sme nadlegovati s samovoljnim vmešavanjem v njegovo zaseb"
        "no življenje, v njegovo družino, v njegovo stanovanje ali njegovo dopis"
        "ovanje in tudi ne z napadi " },
    { "sl",
        "tavnikih. Vsakdo ima pod enakimi pogoji pravico do javnih služb v svoji"
        " državi. Volja ljudstva je temelj javne oblasti; ta volja se mora izraž"
        "ati v občasnih in poštenih volitvah, ki morajo biti splošne, ob načelu "
        "enakosti in tajnega glasova" },
    { "sl",
        "ateljstvo med vsemi narodi in med rasami in verskimi skupinami ter posp"
        "eševati dejavnost Združenih narodov in ohranitev miru. Starši imajo pre"
        "dnostno pravico pri izbiri vrste izobraževanja svojih otrok. 27. člen V"
        "sakdo ima pravico prosto se" },
    { "hr",
        "rno priznanje i održavanje, kako među narodima samih država članica, ta"
        "ko i među narodima onih područja koja su pod njihovom sudbenošću. ČLANA"
        "K 1. Sva ljudska bića rađaju se slobodna i jednaka u dostojanstvu i pra"
        "vima. Ona su obdarena razum" },
    { "hr",
        "jeniti kada je kazneno djelo počinjeno. ČLANAK 12. Nitko ne smije biti "
        "izvrgnut samovoljnom miješanju u svoj privatni život, obitelj, dom ili "
        "dopisivanje, niti napadajima na svoju čast i ugled. Svatko ima pravo na"
        " zaštitu zakona protiv takv" },
    { "hr",
        "a, uz opće i jednako pravo glasa, tajnim glasovanjem ili odgovarajućim "
        "postupcima slobodnog glasovanja. ČLANAK 22. Svatko, kao član društva, i"
        "ma pravo na socijalno osiguranje i pravo ostvarivati gospodarska, socij"
        "alna i kulturna prava potre" },
    { "hr",
        "oji proistječu od ma kojeg znanstvenog, književnog ili umjetničkog djel"
        "a kojemu je autor. ČLANAK 28. Svatko ima pravo na društveni i međunarod"
        "ni poredak u kojem prava i slobode navedeni u ovoj Deklaraciji mogu bit"
        "i potpuno ostvareni. ČLANAK" },
    { "hu",
        "szményt, amelynek elérésére minden népnek és minden nemzetnek törekedni"
        "e kell abból a célból, hogy minden személy és a társadalom minden szerv"
        "e, állandóan szem előtt tartva a jelen Nyilatkozatot, oktatás és nevelé"
        "s útján előmozdítsa e jogok" },
    { "hu",
        "tlen és pártatlan bíróság méltányosan és nyilvánosan tárgyalja, s ez ha"
        "tározzon egyrészt jogai és kőtelezettségei felől, másrészt minden ellen"
        "e emelt bűnügyi vád megalapozottsága felől. 11. cikk Minden büntetendő "
        "cselekménnyel vádolt személ" },
    { "hu",
        "emélynek joga van a gondolat, a lelkiismeret és a vallás szabadságához,"
        " ez a jog magában foglalja a vallás és a meggyőződés megváltoztatásának"
        " szabadságát, valamint a vallásnak vagy a meggyőződésnek mind egyénileg"
        ", mind együttesen, mind a n" },
    { "hu",
        "dsághoz. 24. cikk Minden személynek joga van a pihenésre és szabadidőre"
        ", beleértve a munkaidő ésszerű korlátozását és az időszakos fizetett sz"
        "abadságot. 25. cikk Minden személynek joga van saját maga és családja e"
        "gészségének és jólétének bi" },
    { "ro",
        " spre care trebuie să tindă toate popoarele și toate națiunile, pentru "
        "ca toate persoanele și toate organele societății să se străduiască, avâ"
        "nd această Declarație permanent în minte, ca prin învățătură și educați"
        "e să dezvolte respectul pen" },
    { "ro",
        "i audiată în mod echitabil și public de către un tribunal independent ș"
        "i imparțial care va hotărî fie asupra drepturilor și obligațiilor sale,"
        " fie asupra temeiniciei oricărei acuzări în materie penală îndreptată î"
        "mpotriva sa. Articolul 11 O" },
    { "ro",
        "meni nu poate fi lipsit în mod arbitrar de proprietatea sa. Articolul 1"
        "8 Orice om are dreptul la libertatea gândirii, de conștiință și religie"
        "; acest drept include libertatea de a‐și schimba religia sau convingere"
        "a, precum și libertatea de " },
    { "ro",
        "ană are dreptul la odihnă și recreație, inclusiv la o limitare rezonabi"
        "lă a zilei de muncă și la concedii periodice plătite. Articolul 25 Oric"
        "e om are dreptul la un nivel de trai care să asigure sănătatea și bunăs"
        "tarea lui și familiei sale," },
    { "ca",
        "mb el fi que cada persona i cada institució, inspirant-se constantment "
        "en aquesta Declaració, promoguin, mitjançant l’ensenyament i l’educació"
        ", el respecte a aquests drets i llibertats i assegurin, amb mesures pro"
        "gressives nacionals i inter" },
    { "ca",
        "ovi la seva culpabilitat segons la llei en un judici públic, en què hom"
        " li hagi assegurat totes les garanties necessàries per a la seva defens"
        "a. Ningú no serà condemnat per actes o omissions que en el moment que v"
        "aren ésser comesos no eren " },
    { "ca",
        "les idees per qualsevol mitjà i sense límit de fronteres. Article 20 To"
        "ta persona té dret a la llibertat de reunió i d’associació pacífiques. "
        "Ningú no pot ser obligat a pertànyer a una associació. Article 21 Tota "
        "persona té dret a participa" },
    { "ca",
        "ació. L’educació serà gratuïta, si més no, en la instrucció elemental i"
        " fonamental. La instrucció elemental serà obligatòria. L’ensenyament tè"
        "cnic i professional es posarà a l’abast de tothom, i l’accés a l’enseny"
        "ament superior serà igual p" },
    { "eu",
        "netan etengabe oinarrituta, alde batetik, eskubide eta askatasun hauen "
        "begirunea bultza dezaten irakaskuntzaren eta hezkuntzaren bidez eta, be"
        "stetik, nazio mailan eta nazioarte mailan arian-arian neurriak hartuz, "
        "era eraginkorrean eta oroko" },
    { "eu",
        "koak eskubidea du errugabetzat jo dezaten, errudun dela legez eta jenda"
        "urreko epaiketan frogatzen ez den bitartean. Epaiketan bere burua zaint"
        "zeko berme guztiak ziurtatuko zaizkio. Egintzak edo behar-uzteak izanda"
        "koan, herrialdeko edo nazio" },
    { "eu",
        "zaren eritziengatik inork ez gogaitzeko eskubidea, ikerketak egitekoa e"
        "ta informazioa eta eritziak mugarik gabe eta nolanahiko adierazpidez ja"
        "so eta zabaltzekoa. 20. atala Nornahik du bakean biltzeko eta elkartzek"
        "o eskubidea. Inor ezingo da" },
    { "eu",
        "jaiotakoek, gizartearen babes berbera izateko eskubidea dute. 26. atala"
        " Pertsona orok du hezkuntza-eskubidea. Hezkuntza dohainekoa izango da o"
        "inarrizko ikasketei dagokienez behintzat. Oinarrizko ikasketak egitea d"
        "errigorrezkoa izango da; he" },
    { "la",
        "nibus civibus et gentibus speciem perfectam et communem adipiscendam, u"
        "t omnes homines et omnes societatis partes, memoriam Declarationis tene"
        "ntes, et docendo et instituendo, eorundem iurium et libertatum observan"
        "tiam reverentiamque augeri " },
    { "la",
        "poterit, si iussum, quod ipso hoc tempore aut ex domestico iure aut ex "
        "gentium non fuerit scelus, perpetraverit vel praetermiserit. Item nulla"
        " poena maior quam quae, scelere commisso, iure potest dici, irroganda. "
        "XII Homo nemo intercessione" },
    { "la",
        "sus principium est publicae potestatis; qui consensus certis temporibus"
        " veridicis et paribus omnium suffragiis, per tabellam est declarandus, "
        "vel pari iudicio liberi suffragii. XXII Suae quisque ipsius incolumitat"
        "is vitae, in hominum societ" },
    { "la",
        "ps sit et artibus perfruatur, cum scientiae incrementis beneficiisque v"
        "ehementer studeat. Suae quisque tutelae ius habet morum rationis utilit"
        "atis quae ex suis studiis scientiae litterarum artium efficiantur. XXVI"
        "II Suae quisque ipsius disc" },
    { "cy",
        "’u cadw yn gyffredinol ac yn effeithiol, ymysg pobloedd y Gwladwriaetha"
        "u sy’n Aelodau eu hunain yn ogystal ag ymysg pobloedd y tiriogaethau sy"
        "dd dan eu rheolaeth. Erthygl 1 Genir pawb yn rhydd ac yn gydradd â’i gi"
        "lydd mewn urddas a hawliau." },
    { "cy",
        "ol, pan gyflawnwyd hi. Ni ddylid ychwaith osod cosb drymach na’r un a o"
        "edd yn gymwys ar yr adeg y cyflawnwyd y drosedd gosbadwy. Erthygl 12 Ni"
        " ddylid ymyrryd yn fympwyol â bywyd preifat neb, na’u teulu, na’u cartr"
        "ef, na’u gohebiaeth, nac ym" },
    { "cy",
        "durdod llywodraeth; mynegir yr ewyllys hon drwy etholiadau dilys o bryd"
        " i’w gilydd, drwy bleidleisio cyffredinol a chyfartal, a thrwy bleidlai"
        "s ddirgel neu ddull pleidleisio rhydd tebyg. Erthygl 22 Y mae gan bawb,"
        " fel aelod o gymdeithas, ha" },
    { "cy",
        "wl i gymryd rhan ym mywyd diwylliannol eu cymdeithas, i fwynhau’r celfy"
        "ddydau ac i gyfranogi o gynnydd gwyddonol a’i fuddiannau. Y mae gan baw"
        "b yr hawl i fynnu diogelwch i’r buddiannau moesol a materol sy’n deilli"
        "o o unrhyw gynnyrch gwyddon" },
    { "lv",
        "sākumus, nodrošinātu to vispārēju un efektīvu atzīšanu un ievērošanu kā"
        " pašu Organizācijas dalībvalstu starpā, tā arī to jurisdikcijā esošo te"
        "ritoriju tautās. 1. pants Visi cilvēki piedzimst brīvi un vienlīdzīgi s"
        "avā pašcieņā un tiesībās. V" },
    { "lv",
        "garantijas. Nevienu nedrīkst notiesāt par sodāmu tiesībpārkāpumu tādas "
        "darbības vai bezdarbības dēļ, kas saskaņā ar izdarīšanas brīdī spēkā bi"
        "jušajiem nacionālajiem likumiem vai starptautiskajām tiesībām nebija so"
        "dāms tiesībpārkāpums. Tāpat" },
    { "lv",
        " uz miermīlīgu sapulču un asociācijas brīvību. Nevienu nedrīkst piespie"
        "st piederēt kādai asociācijai. 21. pants Ikvienam ir tiesības piedalīti"
        "es savas valsts pārvaldē tieši vai ar brīvi izvēlētu pārstāvju starpnie"
        "cību. Ikvienam ir tiesības " },
    { "lv",
        "zglītības mērķim jābūt pilnīgai personības attīstībai, kā arī cilvēka t"
        "iesību un pamatbrīvību respektēšanas stiprināšanai. Izglītībai ir jāsek"
        "mē saprašanās, iecietība un draudzība starp visām tautām, rasu vai reli"
        "ģiskajām grupām un jāsekmē " },
    { "lt",
        "as, nuolat turėdami galvoj šią Deklaraciją, pasitelkę švietimą ir moksl"
        "ą, stengtųsi prisidėti prie to, kad šios teisės ir laisvės būtų gerbiam"
        "os ir kad būtų garantuota, imantis nacionalinių ir tarptautinių pažangi"
        "ų priemonių, kad jos bus vi" },
    { "lt",
        "o kaltumas bus nustatytas įstatymo tvarka viešo teisminio nagrinėjimo m"
        "etu, kur jam bus sudaromos visos būtinos gynybos garantijos. Niekas neg"
        "ali būti nuteistas už veiksmus ar neveikimą, kurie jų įvykdymo metu neb"
        "uvo laikomi nusikaltimais p" },
    { "lt",
        "nformaciją ir idėjas nepriklausomai nuo valstybių sienų, ir nesvarbu, k"
        "okiomis priemonėmis jos būtų išreikštos. 20 straipsnis Kiekvienas žmogu"
        "s turi teisę į taikių susirinkimų ir asociacijų laisvę. Niekas negali b"
        "ūti verčiamas priklausyti k" },
    { "lt",
        "as - bent jau pradinis ir bendrasis lavinimas. Pradinis lavinimas yra p"
        "rivalomas. Profesinis techninis mokymas turi būti visuotinai prieinamas"
        "; aukštasis mokslas turi būti vienodai prieinamas visiems pagal kiekvie"
        "no žmogus sugebėjimus. Moks" },
    { "et",
        "uslike ja rahvusvaheliste progressiivsete abinõudega tagama, et need õi"
        "gused ja vabadused leiaksid üldist ja efektiivset tunnustamist ja täitm"
        "ist nii organisatsiooni liikmeiks kui ka nende jurisdiktsiooni alla ole"
        "vate territooriumide rahvas" },
    { "et",
        "a süülisuse kindlakstegemiseni seaduslikus korras avalikul kohtulikul a"
        "rutamisel, kus talle on tagatud kõik võimalused kaitseks. Kedagi ei või"
        " süüdi mõista kuriteos mõne teo või tegevusetuse eest, mis nende kordas"
        "aatmise ajal ei olnud kurit" },
    { "et",
        "vabadust informatsiooni ja ideid otsida, saada ja levitada igasuguste a"
        "binõudega ja riigipiirist sõltumata. Artikkel 20. Igal inimesel on õigu"
        "s rahumeelse kogunemise ja liitumise vabadusele. Kedagi ei või sundida "
        "ükskõik millisesse assotsia" },
    { "et",
        "ariduse osas. Algharidus peab olema kohustuslik. Tehniline ja kutsehari"
        "dus peab olema kättesaadav kõigile ja kõrgem haridus võrdselt kättesaad"
        "av kõigile vastavalt igaühe võimetele. Haridus peab olema suunatud inim"
        "isiksuse täielikule arendam" },
    { "tr",
        "rası tedbirlerle gerek bizzat üye devletler ahalisi gerekse bu devletle"
        "rin idaresi altındaki ülkeler ahalisi arasında bu hakların dünyaca fiil"
        "en tanınmasını ve tatbik edilmesini sağlamaya gayret etmeleri amacıyla "
        "bütün halklar ve milletler " },
    { "tr",
        "i sırada milli veya milletlerarası hukuka göre suç teşkil etmeyen fiill"
        "erden veya ihmallerden ötürü mahkum edilemez. Bunun gibi, suçun işlendi"
        "ği sırada uygulanabilecek olan cezadan daha şiddetli bir ceza verilemez"
        ". Madde 12 Hiç kimse özel h" },
    { "tr",
        "ş temsilciler vasıtasıyla, memleketin kamu işleri yönetimine katılmak h"
        "akkını haizdir. Her şahıs memleketin kamu hizmetlerine eşitlikle girme "
        "hakkını haizdir. Halkın iradesi kamu otoritesinin esasıdır; bu irade, g"
        "izli şekilde veya serbestli" },
    { "tr",
        "si yolundaki çalışmalarını geliştirmelidir. Ana baba, çocuklarına veril"
        "ecek eğitim türünü seçmek hakkını öncelikle haizdirler. Madde 27 Herkes"
        ", topluluğun kültürel faaliyetine serbestçe katılmak, güzel sanatları t"
        "atmak, ilim sahasındaki ile" },
    { "id",
        "i janji ini, maka, Majelis Umum dengan ini memproklamasikan Pernyataan "
        "Umum tentang Hak-Hak Asasi Manusia sebagai satu standar umum keberhasil"
        "an untuk semua bangsa dan semua negara, dengan tujuan agar setiap orang"
        " dan setiap badan dalam mas" },
    { "id",
        "eten untuk tindakan pelanggaran hak-hak dasar yang diberikan kepadanya "
        "oleh undang-undang dasar atau hukum. Pasal 9 Tak seorang pun boleh dita"
        "ngkap, ditahan atau dibuang dengan sewenang-wenang. Pasal 10 Setiap ora"
        "ng, dalam persamaan yang pe" },
    { "id",
        "Perkawinan hanya dapat dilaksanakan berdasarkan pilihan bebas dan perse"
        "tujuan penuh oleh kedua mempelai. Keluarga adalah kesatuan alamiah dan "
        "fundamental dari masyarakat dan berhak mendapat perlindungan dari masya"
        "rakat dan Negara. Pasal 17 " },
    { "id",
        "n yang sama untuk pekerjaan yang sama. Setiap orang yang melakukan peke"
        "rjaan berhak atas pengupahan yang adil dan baik yang menjamin kehidupan"
        "nya dan keluarganya, suatu kehidupan yang pantas untuk manusia yang ber"
        "martabat, dan jika perlu di" },
    { "vi",
        "ản tuyên ngôn toàn thế giới về nhân quyền này là thước đo chun"
        "g cho tất cả các nước và tất cả các dân tộc đánh giá việc t"
        "hực hiện mục tiêu mà mọi cá nhân và mọi tổ chức trong xã hộ"
        "i, trên cơ sở luôn ghi nhơ" },
    { "vi",
        " đều có quyền được các toà án quốc gia có thẩm quyền bênh vư"
        "̣c theo pháp luật trước những hành vi vi phạm các quyền cơ bản"
        " do hiến pháp hay luật pháp quy định. Điều 9: Không ai bị bắt, "
        "giam giữ hay đày đi nơi k" },
    { "vi",
        "ột hạn chế nào về chủng tộc, quốc tịch hay tôn giáo. Họ có "
        "quyền bình đẳng trong việc kết hôn, trong cuộc sống vợ chồng v"
        "à lúc ly hôn. Việc kết hôn chỉ được tiến hành khi có sự đồng"
        " ý hoàn toàn và tự ngu" },
    { "vi",
        " tự do lựa chọn công việc, được hưởng điều kiện làm việc công"
        " bằng và thuận lợi và được bảo vệ chống lại tình trạng thấ"
        "t nghiệp. Mọi người đều có quyền được trả công ngang nhau cho c"
        "ông việc như nhau, không c" },
    { "sw",
        "i mwa watu zinaowatawala. Kifungu cha 1. Watu wote wamezaliwa huru, had"
        "hi na haki zao ni sawa. Wote wamejaliwa akili na dhamiri, hivyo yapasa "
        "watendeane kindugu. Kifungu cha 2. Kila mtu anastahili kuwa na haki zot"
        "e na uhuru wote ambao umeel" },
    { "sw",
        "mizi au mambo kama hayo. Kifungu cha 13. Kila mtu ana haki ya kwenda ma"
        "hali anapotaka na kuishi katika kila nchi. Kila mmoja ana haki ya kuham"
        "a kutoka nchi yo yote, hata nchi yake mwenyewe, na ana haki ya kurejea "
        "katika nchi yake. Kifungu c" },
    { "sw",
        "ne ambayo itahakikisha uchagazi kuwa huru. Kifungu cha 22 Kila mtu, kam"
        "a raia, anayo haki ya kutunzwa na anastahili kupata hali zinazotokana n"
        "a uchumi, starehe na utamaduni-ambazo ni za lazima kwa hali bora na mae"
        "ndeleo ya nafsi yake- kwa n" },
    { "sw",
        "aendeleo ya mambo ya sayansi na faida zinazotokana nayo. Kila mtu ana h"
        "aki ya kulindwa kwa kila hali kutokana na mambo ya sayansi aliyoandika,"
        " aliyochora au aliyogundua. Kifungu cha 28. Ni haki kila mtu alindwe na"
        " taratibu au kanuni za jami" },
    { "ru",
        "ества, постоянно имея в виду настоящую Декларацию, стремились путем про"
        "свещения и образования содействовать уважению этих прав и свобод и обес"
        "печению, путем национальных и международных прогрессивных мероприятий, "
        "всеобщего и эффективного пр" },
    { "ru",
        "о было рассмотрено гласно и с соблюдением всех требований справедливост"
        "и независимым и беспристрастным судом. Статья 11 Каждый человек, обвиня"
        "емый в совершении преступления, имеет право считаться невиновным до тех"
        " пор, пока его виновность н" },
    { "ru",
        "его имущества. Статья 18 Каждый человек имеет право на свободу мысли, с"
        "овести и религии; это право включает свободу менять свою религию или уб"
        "еждения и свободу исповедовать свою религию или убеждения как единоличн"
        "о, так и сообща с другими, " },
    { "ru",
        "и на оплачиваемый периодический отпуск. Статья 25 Каждый человек имеет "
        "право на такой жизненный уровень, включая пищу, одежду, жилище, медицин"
        "ский уход и необходимое социальное обслуживание, который необходим для "
        "поддержания здоровья и благ" },
    { "uk",
        "ресивних заходів, загального і ефективного визнання і здійснення їх як "
        "серед народів держав ‐ членів Організації, так і серед народів територі"
        "й, що перебувають під їх юрисдикцією. Стаття 1. Всі люди народжуються в"
        "ільними і рівними у своїй г" },
    { "uk",
        "для захисту. Ніхто не може бути засуджений за злочин на підставі вчинен"
        "ня будь‐якого діяння або за бездіяльність, які під час їх вчинення не с"
        "тановили злочину за національними законами або за міжнародним правом. Н"
        "е може також накладатись по" },
    { "uk",
        " будь‐якими засобами і незалежно від державних кордонів. Стаття 20. Кож"
        "на людина має право на свободу мирних зборів і асоціацій. Ніхто не може"
        " бути примушений вступати до будь‐якої асоціації. Стаття 21. Кожна люди"
        "на має право брати участь в" },
    { "uk",
        "'язковою. Технічна і професійна освіта повинна бути загальнодоступною, "
        "а вища освіта повинна бути однаково доступною для всіх на основі здібно"
        "стей кожного. Освіта повинна бути спрямована на повний розвиток людсько"
        "ї особи і збільшення поваги" },
    { "bg",
        "че всеки човек и всеки орган на обществото, имайки постоянно предвид та"
        "зи Декларация, да се стремят, чрез просвета и образование, да съдейства"
        "т за зачитане на тези права и свободи и чрез последователни национални "
        "и международни мерки да оси" },
    { "bg",
        " обвинение, предявено срещу него. Член 11 Всеки човек, който е обвинен "
        "в престъпление, има право да бъде считан за невинен до доказване на нег"
        "овата вина, в съответствие със закона, в публичен процес, по време на к"
        "ойто са му били осигурени в" },
    { "bg",
        "дивидуално или колективно, публично или частно, чрез обучение, обреди, "
        "богослужение и ритуали. Член 19 Всеки човек има право на свобода на убе"
        "ждение и на изразяването му; тази свобода включва правото безпрепятстве"
        "но да се придържа към своит" },
    { "bg",
        "вдовяване, старост или други случаи на лишаване от средства за съществу"
        "ване по независещи от него причини. Майките и децата се ползват с особе"
        "ни грижи и подпомагане. Всички деца, родени в брака или извън брака, се"
        " ползуват с еднаква социалн" },
    { "sr",
        "су под њиховом управом. Члан 1. Сва људска бића рађају се слободна и је"
        "днака у достојанству и правима. Она су обдарена разумом и свешћу и треб"
        "а једни према другима да поступају у духу братства. Члан 2. Сваком прип"
        "адају сва права и слободе п" },
    { "sr",
        "ако има право на слободу кретања и избора становања у границама поједин"
        "е државе. Свако има право да напусти било коју земљу, укључујући власти"
        "ту, и да се врати у своју земљу. Члан 14. Свако има право да тражи и уж"
        "ива у другим земљама уточиш" },
    { "sr",
        "организацијом и средствима сваке државе. Члан 23. Свако има право на ра"
        "д, на слободан избор запослења, на правичне и задовољавајуће услове рад"
        "а и на заштиту од незапослености. Свако, без икакве разлике, има право "
        "на једнаку плату за једнаки" },
    { "sr",
        "а и остваривању слобода свако може бити подвргнут само оним ограничењим"
        "а која су предвиђена законом у циљу обезбеђења нужног признања и поштов"
        "ања права и слобода других и у циљу задовољења правичних захтева морала"
        ", јавног поретка и општег б" },
    { "el",
        "έρα ως πέρα αυτή η υποχρέωση, Η ΓΕΝΙΚΗ ΣΥΝΕΛΕΥΣΗ Διακηρύσσει ότι η παρο"
        "ύσα Οικουμενική Διακήρυξη των Δικαιωμάτων του Ανθρώπου αποτελεί το κοιν"
        "ό ιδανικό στο οποίο πρέπει να κατατείνουν όλοι οι λαοί και όλα τα έθνη,"
        " έτσι ώστε κάθε άτομο και κ" },
    { "el",
        "λιακά δικαιώματα τα οποία του αναγνωρίζουν το Σύνταγμα και ο νόμος. ΑΡΘ"
        "ΡΟ 9 Κανείς δεν μπορεί να συλλαμβάνεται, να κρατείται ή να εξορίζεται α"
        "υθαίρετα. ΑΡΘΡΟ 10 Καθένας έχει δικαίωμα, με πλήρη ισότητα, να εκδικάζε"
        "ται η υπόθεσή του δίκαια κα" },
    { "el",
        "ης κοινωνίας και έχει το δικαίωμα προστασίας από την κοινωνία και το κρ"
        "άτος. ΑΡΘΡΟ 17 Κάθε άτομο, μόνο του ή με άλλους μαζί, έχει το δικαίωμα "
        "της ιδιοκτησίας. Κανείς δεν μπορεί να στερηθεί αυθαίρετα την ιδιοκτησία"
        " του. ΑΡΘΡΟ 18 Κάθε άτομο έ" },
    { "el",
        "ζωής άξιες στην ανθρώπινη αξιοπρέπεια. Η αμοιβή της εργασίας, αν υπάρχε"
        "ι, πρέπει να συμπληρώνεται με άλλα μέσα κοινωνικής προστασίας. Καθένας "
        "έχει το δικαίωμα να ιδρύει μαζί με άλλους συνδικάτα και να συμμετέχει σ"
        "ε συνδικάτα για την προάσπι" },
    { "ar",
        "و أي وضع آخر، دون أية تفرقة بين الرجال والنساء. وفضلاً عما تقدم فلن يكو"
        "ن هناك أي تمييز أساسه الوضع السياسي أو القانوني أو الدولي لبلد أو البقع"
        "ة التي ينتمي إليها الفرد سواء كان هذا البلد أو تلك البقعة مستقلاً أو تح"
        "ت الوصاية أو غير متمتع بالح" },
    { "ar",
        "بت إدانته قانوناً بمحاكمة علنية تؤمن له فيها الضمانات الضرورية للدفاع ع"
        "نه. لا يدان أي شخص من جراء أداء عمل أو الإمتناع عن أداء عمل إلاّ إذا كا"
        "ن ذلك يعتبر جرماً وفقاً للقانون الوطني أو الدولي وقت الارتكاب. كذلك لا "
        "توقع عليه عقوبة أشد من تلك " },
    { "ar",
        "7 لكل شخص حق التملك بمفرده أو بالاشتراك مع غيره. لا يجوز تجريد أحد من م"
        "لكه تعسفا. المادة 18 لكل شخص الحق في حرية التفكير والضمير والدين. ويشمل"
        " هذا الحق حرية تغيير ديانته أو عقيدته، وحرية الإعراب عنهما بالتعليم وال"
        "ممارسة وإقامة الشعائر ومراع" },
    { "ar",
        "ه حرية اختياره بشروط عادلة مرضية كما أن له حق الحماية من البطالة. لكل ف"
        "رد دون أي تمييز الحق في أجر متساو للعمل. لكل فرد يقوم بعمل الحق في أجر "
        "عادل مرض يكفل له ولأسرته عيشة لائقة بكرامة الإنسان تضاف إليه، عند اللزو"
        "م، وسائل أخرى للحماية الاجت" },
    { "fa",
        " نژاد، رنگ، جنس، زبان، مذهب، عقیدهٔ سیاسی یا هر عقیده دیگر و همچنین ملی"
        "ت، وضع اجتماعی، ثروت، ولادت یا هر موقعیت دیگر، از تمام حقوق و کلیهٔ آزا"
        "دی‌هائیکه در اعلامیه ذکر حاضر شده است، بهره‌مند گردد. بعلاوه هیچ تبعیضی"
        " بعمل نخواهد آمد که مبتنی ب" },
    { "fa",
        "حه دارد. مادهٔ نهم احدی نمیتواند خودسرانه توقیف ‐ حبس یا تبعید بشود. ما"
        "دهٔ دهم هر کس با مساوات کامل حق دارد که دعوایش بوسیله دادگاه مستقل و بی"
        "‌طرفی، منصفانه و علناً رسیدگی بشود و چنین دادگاهی درباره حقوق و الزامات"
        " او یا هر اتهام جزائی که با" },
    { "fa",
        "جو کند و در کشورهای دیگر پناه اختیار کند. در موردی که تعقیب واقعاً مبتن"
        "ی بجرم عمومی و غیرسیاسی یا رفتارهائی مخالف با اصول و مقاصد ملل متحد باش"
        "د، نمیتوان از این حق استفاده نمود. مادهٔ پانزدهم هر کس حق دارد که دارای"
        " تابعیت باشد. احدی را نمی‌ت" },
    { "fa",
        "در کسب اطلاعات و افکار و در اخذ و انتشار آن بتمام وسائل ممکن و بدون ملا"
        "حظات مرزی آزاد باشد. مادهٔ بیستم هر کس حق دارد آزادانه مجامع و جمعیت‌ها"
        "ی مسالمت‌آمیز تشکیل دهد. هیچکس را نمیتوان مجبور بشرکت در اجتماعی کرد. م"
        "ادهٔ بیست و یکم هر کس حق دا" },
    { "ur",
        "، منوانے کے لئے بتدریج کوشش کر سکے۔ دفعہ ۱۔ تمام انسان آزاد اور حقوق و "
        "عزت کے اعتبار سے برابر پیدا ہوئے ہیں۔ انہیں ضمیر اور عقل ودیعت ہوئی ہے۔"
        " اس لئے انہیں ایک دوسرے کے ساتھ بھائی چارے کا سلوک کرنا چاہیئے۔ دفعہ ۲۔"
        " ہر شخص ان تمام آزادیوں اور" },
    { "ur",
        " نقل و حرکت کرنے اور سکونت اختیار کرنے کی آزادی ہو۔ ہر شخص کو اس بات کا"
        " حق ہے کہ وہ ملک سے چلا جائے چاہے یہ ملک اس کا اپنا ہو۔ اور اسی طرح اسے"
        " ملک میں واپس آ جانے کا بھی حق ہے۔ دفعہ ۱۴۔ ہر شخص کو ایذا رسانی سے دوس"
        "رے ملکوں میں پناہ ڈھونڈنے، " },
    { "ur",
        "ن سے ایسے اقتصادی، معاشرتی اور ثقافتی حقوق کو حاصل کرے، جو اس کی عزت او"
        "ر شخصیت کی آزادانہ نشوونما کے لئے لازم ہیں۔ دفعہ ۲۳۔ ہر شخص کو کام کاج،"
        " روزگار کے آزادانہ انتخاب، کام کاج کی مناسب و معقول شرائط اور بے روزگار"
        "ی کے خلاف تحفّظ کا حق ہے۔ ہ" },
    { "ur",
        "نہ اور پوری نشوونما ممکن ہے۔ اپنی آزادیوں اور حقوق سے فائدہ اٹھانے میں "
        "ہر شخص صرف ایسی حدود کا پابند ہو گا جو دوسروں کی آزادیوں اور حقوق کو تس"
        "لیم کرانے اور ان کا احترام کرانے کی غرض سے یا جمہوری نظام میں اخلاق، ام"
        "ن عامّہ اور عام فلاح و بہبو" },
    { "he",
        "חברתי, קנין, לידה או מעמד אחר. גדולה מזו, לא יופלה אדם על פי מעמדה המדי"
        "ני, על פי סמכותה או על פי מעמדה הבינלאומי של המדינה או הארץ שאליה הוא ש"
        "ייך, דין שהארץ היא עצמאית, ובין שהיא נתונה לנאמנות, בין שהיא נטולת שלטו"
        "ן עצמי ובין שריבונותה מוגבל" },
    { "he",
        "ו על הזנחה שלא נחשבו בשעתם לעבירה פלילית לפי החוק הלאומי או הבינלאומי. "
        "לא יוטל עונש חמור מהעונש שהיה נוהג בזמן שעבר את העבירה הפלילית. סעיף יב"
        ". לא יהא אדם נתון להתערבות שרירותית בחייו הפרטיים, במשפחתו, במעונו, בחל"
        "יפת מכתבים שלו ולא לפגיעה ב" },
    { "he",
        " כוללת את הזכות להמיר את דתו או את אמונתו ולתת בטוי לדתו או לאמונתו, לב"
        "דו או כציבור, ברשות היחיד או ברשות הרבים, דרך הוראה, נוהג, פולחן ושמירת"
        " מצוות. סעיף יט. כל אדם זכאי לחירות הדעה והבטוי, לרבות החירות להחיק בדע"
        "ות ללא כל הפרעה, ולבקש ידיע" },
    { "he",
        ", על ידי אמצעים אחרים של הגנה סוציאלית. כל אדם זכאי לאגד אגודות מקצועיו"
        "ת ולהצטרף לאגודות כדי להגן על עניניו. סעיף כד. כל אדם זכאי למנוחה ולפנא"
        "י, ובכלל זה הגבלת שעות העבודה במידה המתקבלת על הדעת וחופשה בשכר לעיתים "
        "מזומנות. סעיף כה. כל אדם זכ" },
    { "hi",
        "य तथा अन्तर्राष्ट्रीय उपाय किये जाएं जिनसे सदस्य देशों की जनता तथा उनके"
        " द्वारा अधिकृत प्रदेशों की जनता इन अधिकारों की सार्वभौम और प्रभावोत्पाद"
        "क स्वीकृति दे और उनका पालन करावे । अनुच्छेद १. सभी मनुष्यों को गौरव और "
        "अधिकारों के मामले में जन्मज" },
    { "hi",
        " न माना जाएगा, जिसे तत्कालीन प्रचलित राष्ट्रीय या अन्तर्राष्ट्रीय क़ानून"
        " के अनुसार दण्डनीय अपराध न माना जाए और न उससे अधिक भारी दण्ड दिया जा सक"
        "ेगा, जो उस समय दिया जाता जिस समय वह दण्डनीय अपराध किया गया था । अनुच्छे"
        "द १२. किसी व्यक्ति की एकान्" },
    { "hi",
        "ंस्था का सदस्य बनने के लिए मजबूर नहीं किया जा सकता । अनुच्छेद २१. प्रत्"
        "येक व्यक्ति को अपने देश के शासन में प्रत्यक्ष रूप से या स्वतन्त्र रूप स"
        "े चुने गए प्रतिनिधियों के ज़रिए हिस्सा लेने का अधिकार है । प्रत्येक व्यक"
        "्ति को अपने देश की सरकारी न" },
    { "hi",
        "रूप से प्राप्त होगी और उच्चतर शिक्षा सभी को योग्यता के आधार पर समान रूप"
        " से उपलब्ध होगी । शिक्षा का उद्देश्य होगा मानव व्यक्तित्व का पूर्ण विका"
        "स और मानाव अधिकारों तथा बुनियादी स्वतन्त्रताओं के प्रति सम्मान को पुष्ट"
        "ि । शिक्षा द्वारा राष्ट्रों" },
    { "bn",
        "াতিক প্রয়াসের মাধ্যমে এ‌ই অধিকার এবং স্বাধীনতাসমূহের সার্বজনীন ও কার্য"
        "কর স্বীকৃতি আদায় এবং যথাযথ পালন নিশ্চিত করবে। ধারা ১ সমস্ত মানুষ স্বাধ"
        "ীনভাবে সমান মর্যাদা এবং অধিকার নিয়ে জন্মগ্রহণ করে। তাঁদের বিবেক এবং বু"
        "দ্ধি আছে; সুতরাং সকলেরই একে" },
    { "bn",
        "ক্ষেপ বা আঘাতের বিরুদ্ধে আ‌ইনের আশ্রয় লাভের অধিকার প্রত্যেকের‌ই রয়েছে"
        "। ধারা ১৩ নিজ রাষ্ট্রের চৌহদ্দির মধ্যে স্বাধীনভাবে চলাফেরা এবং বসবাস কর"
        "ার অধিকার প্রত্যেকের‌ই রয়েছে। প্রত্যেকের‌ই নিজ দেশ সহ যে কোন দেশ পরিত্"
        "যাগ এবং স্বদেশে প্রত্যাবর্ত" },
    { "bn",
        "িক সহযোগিতার মাধ্যমে রাষ্ট্রের সংগঠন ও সম্পদের সঙ্গে সঙ্গতি রেখে প্রত্য"
        "েকের‌ই আপন মর্যাদা এবং ব্যক্তিত্বের অবাধ বিকাশের জন্য অপরিহার্য সামাজিক"
        ", অর্থনৈতিক ও সাংস্কৃতিক অধিকারসমূহ আদায়ের অধিকার রয়েছে। ধারা ২৩ প্রত"
        "্যেকের‌ই কাজ করার, স্বাধীনভ" },
    { "bn",
        "ন একটি সামাজিক ও আন্তর্জাতিক ব্যবস্থায় অংশীদারীত্বের অধিকার প্রত্যেকের"
        "‌ই আছে। ধারা ২৯ প্রত্যেকের‌ই সে সমাজের প্রতি পালনীয় কর্তব্য রয়েছে, যে"
        " সমাজে‌ই কেবল তাঁর আপন ব্যক্তিত্বের স্বাধীন এবং পূর্ণ বিকাশ সম্ভব। আপন "
        "স্বাধীনতা এবং অধিকারসমূহ ভো" },
    { "ta",
        "்டயத்தை இடையறாது மனத்திலிருத்தி, இவ்வுரிமைகள் சுதந்திரங்களுக்கான மதிப்ப"
        "ினை மேம்படுத்துவதற்குக் கற்பித்தல் மூலமும், கல்வி மூலமும், தேசிய, சர்வத"
        "ேச முற்போக்கு நடவடிக்கைகள் மூலமும் முயலும் நோக்கிற்காகவும், அங்கத்துவ ந"
        "ாடுகள் ஒவ்வொன்றும், தத்தம் " },
    { "ta",
        " செயல்களுக்காகத் தகுதிவாய்ந்த தேசிய நியாய சபைகளினால் வழங்கப்படும் பயனுற"
        "ுதியுடைய திருத்தத்திற்கு உரிமையுடையவர்கள். உறுப்புரை 9 ஒருதலைப்பட்ட மனப"
        "்போக்கான வகையில் கைது செய்யப்படுதல், தடுப்புக் காவலில் வைக்கப்படுதல், ந"
        "ாட்டிலிருந்து வெளியேற்றப்பட" },
    { "ta",
        "ப்படுதலோ ஆகாது. உறுப்புரை 16 முழு வயதடைந்த ஆண்களும் பெண்களும், இனம், தே"
        "சிய இனம் அல்லது சமயம் என்பன காரணமான கட்டுப்பாடெதுவுமின்றித் திருமணம் செ"
        "ய்வதற்கும் ஒரு குடும்பத்தை உருவாக்குவதற்கும் உரிமை உடையவராவர். திருமண வ"
        "ாழ்விலும், திருமணம் குலைக்க" },
    { "ta",
        "மும் ஒவ்வொரு நாட்டினதும் அமைப்பு முறைக்கும் வளங்களுக்கும் இயைவான வகையில"
        "் ஒவ்வொருவரும் தத்தம் மதிப்புக்கும் தத்தம் ஆளுமையைச் சுதந்திரமான முறையி"
        "ல் வளர்ப்பதற்கும் இன்றியமையாதனவாக வேண்டப்பெறும் பொருளாதார சமூக பண்பாட்ட"
        "ு உரிமைகளைப் பெறுவதற்கும் உ" },
    { "th",
        "นบรรดาประชาชนของรัฐสมาชิกด้วยกันเอง และในบรรดาประชาชนของดินแดนที่อยู่ใต"
        "ัอำนาจของรัฐนั้น ๆ ข้อ 1 มนุษย์ทั้งหลายเกิดมามีอิสระและเสมอภาคกันในเกีย"
        "รติศักด[เกียรติศักดิ์]และสิทธิ ต่างมีเหตุผลและมโนธรรม และควรปฏิบัติต่อก"
        "ันด้วยเจตนารมณ์แห่งภราดรภาพ" },
    { "th",
        "นที่อยู่ภายในเขตของแต่ละรัฐ ทุกคนมีสิทธิที่จะออกจากประเทศใด ๆ ไป รวมทั้"
        "งประเทศของตนเองด้วย และที่จะกลับยังประเทศตน ข้อ 14 ทุกคนมีสิทธิที่จะแสว"
        "งหา และที่จะได้อาศัยพำนักในประเทศอื่นเพื่อลี้ภัยจากการประหัตประหาร จะอ้"
        "างสิทธิไม่ได้ ในกรณีที่การด" },
    { "th",
        "งานโดยอิสระในเงื่อนไขอันยุติธรรม และเป็นประโยชน์แห่งการงาน และในการคุ้ม"
        "ครองต่อการว่างงาน ทุกคนมีสิทธิที่จะได้รับเงินค่าจ้างเท่าเทียมกันสำหรับง"
        "านเท่าเทียมกัน โดยปราศจากการเลือกปฏิบัติใด ๆ ทุกคนที่ทำงานมีสิทธิที่จะไ"
        "ด้รับสินจ้างที่ยุติธรรมและเ" },
    { "th",
        "อื่นตามสมควรและที่จะเผชิญกับความเรียกร้องต้องการอันเที่ยงธรรมของศีลธรรม"
        " ความสงบเรียบร้อยของประชาชน และสวัสดิการทั่วไปในสังคมประชาธิปไตย สิทธิแ"
        "ละอิสรภาพเหล่านี้ จะใช้ขัดต่อวัตถุประสงค์และหลักการของสหประชาชาติไม่ได้"
        "ไม่ว่าในกรณีใด ๆ ข้อ 30 ไม่" },
    { "ka",
        "ების ყოველი ნაწილი ყოველთვის გაითვალისწინებს რა ამ დეკლარაციას, მიისწრა"
        "ფვოდეს სწავლა-განათლების მეშვეობით ხელი შეუწყოს ამ უფლებათა და თავისუფლ"
        "ებათა პატივისცემას და მათი საყოველთაო და ეფექტიანი აღიარება-განხორციელე"
        "ბის უზრუნველყოფას ეროვნული " },
    { "ka",
        "და სამართლიანობის ყველა მოთხოვნის დაცვით განიხილოს დამოუკიდებელმა და მი"
        "უკერძოებელმა სასამართლომ. მუხლი 11. ყოველ ადამიანს, რომელსაც ბრალად ედე"
        "ბა დანაშაულის ჩადენა, უფლება აქვს უდანაშაულოდ ითვლებოდეს მანამ, სანამ მ"
        "ისი დამნაშავეობა დადგენილი " },
    { "ka",
        "ებლობის, როგორც ინდივიდუალურად, ასევე სხვებთან ერთად, საჯაროდ ან კერძოდ"
        ", მოძღვრების, ღვთისმსახურების და რელიგიურ ან რიტუალურ წეს-ჩვეულებათა შე"
        "სრულების თავისუფლებას. მუხლი 19. ყოველ ადამიანს აქვს უფლება აზრისა და გ"
        "ამოხატვის თავისუფლებისა. ეს" },
    { "ka",
        "აჭირო სოციალური მომსახურეობის ჩათვლით, რომელიც აუცილებელია თვითონ მისი "
        "და მისი ოჯახის ჯანმრთელობისა და კეთილდღეობის შესანარჩუნებლად, და უფლება"
        " უზრუნველყოფილი იყოს უმუშევრობის, ავადმყოფობის, ინვალიდობის, ქვრივობის,"
        " მოხუცებულობის ან მისგან და" },
    { "hy",
        "ավունքների ու ազատությունների նկատմամբ հարգալից վերաբերմունքին և ազգայի"
        "ն ու միջազգային առաջադիմական միջոցառումներով ապահովել դրանց համընդհանու"
        "ր արդյունավետ ճանաչումն ու պահպանումը թե անդամ պետությունների ժողովուրդ"
        "ների և թե դրանց իրավասու տա" },
    { "hy",
        "եշտ երաշխիքները։ Ոչ ոք չի կարող դատապարտվել որպես հանցագործ որևիցէ արար"
        "քի կամ բացթողման համար, որը կատարվել է այնպիսի ժամանակ, երբ այն ազգային"
        " կամ միջազգային օրենքով հանցագործություն չի համարվել։ Չի կարող սահմանվե"
        "լ նաև ավելի ծանր պատիժ, քան" },
    { "hy",
        "ջոցներով, անկախ պետական սահմաններից։ Հոդված 20 Յուրաքանչյուր ոք ունի խա"
        "ղաղ հավաքների ու միություններ կազմելու իրավունք։ Ոչ ոք չի կարող հարկադր"
        "աբար անդամակցվել որևէ միության։ Հոդված 21 Յուրաքանչյուր ոք իրավունք ուն"
        "ի մասնակցել իր երկրի կառավա" },
    { "hy",
        "ւնի կրթության իրավունք։ Կրթությունը, առնվազան տարրական ու հանրակրթական "
        "փուլերում, պետք է լինի անվճար։ Տարրական կրթությունը պետք է լինի պարտադի"
        "ր։ Տեխնիկական ու մասնագիտական կրթությունը լինելու է ընդհանուրի համար մա"
        "տչելի, իսկ բարձրագույն կրթո" },
    { "ja",
        "くは通信に対して、ほしいままに干渉され、又は名誉及び信用に対して攻撃を受けることはない。人はすべて、このような干渉又は攻撃に対して法の保護を受"
        "ける権利を有する。 第13条 すべて人は、各国の境界内において自由に移転及び居住する権利を有する。 すべて人は、自国その他いずれの国をも立ち去"
        "り、及び自国に帰る権利を有する。 第14条 すべて人は、迫害からの避難を他国に求め、かつ、これを他国で享有する権利を有する。 この権利は、非政"
        "治犯罪又は国際連合の目的及び原則に反する行為をもっぱら" },
    { "ja",
        "る。 弟23条 すべて人は、労働し、職業を自由に選択し、公平かつ有利な労働条件を確保し、及び失業に対する保護を受ける権利を有する。 すべて人は"
        "、いかなる差別をも受けることなく、同等の労働に対し、同等の報酬を受ける権利を有する。 労働する者は、すべて、自己及び家族に対して人間の尊厳にふ"
        "さわしい生活を保障する公平かつ有利な報酬を受け、かつ、必要な場合には、他の社会的保護手段によって補充を受けることができる。 すべて人は、自己の"
        "利益を保護するために労働組合を組織し、及びこれに加入す" },
    { "ko",
        " 받을 권리를 가진다. 제 11 조 모든 형사피의자는 자신의 변호에 필요한 모든 것이 보장된 공개 재판에서 법률에 따라 유죄로 "
        "입증될 때까지 무죄로 추정받을 권리를 가진다. 어느 누구도 행위시에 국내법 또는 국제법에 의하여 범죄를 구성하지 아니하는 작위 "
        "또는 부작위를 이유로 유죄로 되지 아니한다. 또한 범죄 행위시에 적용될 수 있었던 형벌보다 무거운 형벌이 부과되지 아니한다. 제"
        " 12 조 어느 누구도 그의 사생활, 가정, 주거" },
    { "ko",
        "유를 포함한다. 제 20 조 모든 사람은 평화적인 집회 및 결사의 자유에 대한 권리를 가진다. 어느 누구도 어떤 결사에 참여하도"
        "록 강요받지 아니한다. 제 21 조 모든 사람은 직접 또는 자유로이 선출된 대표를 통하여 자국의 정부에 참여할 권리를 가진다. "
        "모든 사람은 자국에서 동등한 공무담임권을 가진다. 국민의 의사가 정부 권능의 기반이다. 이러한 의사는 보통·평등 선거권에 따라 "
        "비밀 또는 그에 상당한 자유 투표절차에 의한 정기" },
    { "ko",
        " 촉진하여야 한다. 부모는 자녀에게 제공되는 교육의 종류를 선택할 우선권을 가진다. 제 27 조 모든 사람은 공동체의 문화생활에"
        " 자유롭게 참여하며 예술을 향유하고 과학의 발전과 그 혜택을 공유할 권리를 가진다. 모든 사람은 자신이 창작한 과학적, 문학적 "
        "또는 예술적 산물로부터 발생하는 정신적, 물질적 이익을 보호받을 권리를 가진다. 제 28 조 모든 사람은 이 선언에 규정된 권리"
        "와 자유가 완전히 실현될 수 있도록 사회적, 국제" },
    { "zh",
        "想的自由。 第二十条 人人有权享有和平集会和结社的自由。 任何人不得迫使隶属于某一团体。 第二十一条 人人有直接或通过自由选择的代表参与治理本"
        "国的权利。 人人有平等机会参加本国公务的权利。 人民的意志是政府权力的基础;这一意志应以定期的和真正的选举予以表现,而选举应依据普遍和平等的投"
        "票权,并以不记名投票或相当的自由投票程序进行。 第二十二条 每个人,作为社会的一员,有权享受社会保障,并有权享受他的个人尊严和人格的自由发展所"
        "必需的经济、社会和文化方面各种权利的实现,这种实现是通" },
};

#endif
